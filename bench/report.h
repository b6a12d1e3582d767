#pragma once

#include <nlohmann/json.hpp>

#include "bench/account.h"
#include "bench/config.h"

namespace martlet::bench {

// What a run gave, as the generator prints it. seconds: how long the window was.
nlohmann::ordered_json report(const Account& account, double seconds);

}  // namespace martlet::bench
