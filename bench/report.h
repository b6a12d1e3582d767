#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "bench/account.h"
#include "bench/config.h"

namespace martlet::bench {

// p50_ms, p99_ms …; null where there was nothing to measure.
void add_percentiles(nlohmann::ordered_json& to, const std::string& prefix,
                     const Latencies& latencies);

// What a run gave, as the generator prints it. seconds: how long the window was.
nlohmann::ordered_json report(const Account& account, double seconds);

}  // namespace martlet::bench
