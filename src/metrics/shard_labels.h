#pragma once

#include <cstdint>

#include "metrics/registry.h"

namespace martlet::metrics {

// What happened to the lease of a shard, as dispatchers and persists count it.
enum class LeaseChange : std::uint8_t { kAcquired, kGivenBack, kLost };

Label<LeaseChange> lease_label();
// One value for each shard of the cluster.
Label<std::uint16_t> shard_label(std::uint16_t shards);

}  // namespace martlet::metrics
