#pragma once

#include <cstdint>

#include "bus/kv.h"

namespace martlet::bus {

inline constexpr std::string_view kLeaseBucket = "im_leases";

// The number of shards is fixed for the life of a cluster. Whoever comes first writes it to the key
// "cluster"; an error (kConflict) if it is another number than ours. The bucket must exist. Loop
// thread; the bucket outlives the call back.
void check_cluster(Kv& kv, std::uint16_t shards, Kv::Done callback);

}  // namespace martlet::bus
