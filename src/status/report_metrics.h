#pragma once

#include <vector>

#include "metrics/registry.h"
#include "wire/status.h"

namespace martlet::status {

// Of all that a process counts, what its status tells. A metric with shards is told for each of
// them where it is not 0; one with other labels as their sum.
std::vector<wire::StatusValue> read_metrics(const metrics::Registry& registry);

}  // namespace martlet::status
