#pragma once

#include <cstdint>
#include <vector>

#include "lib/pg/connection.h"
#include "store/types.h"

namespace martlet::store {

// A user's conversations that changed since a vector of log positions, from one snapshot, in order
// of their row ids. Blocks.
pg::Result<SyncRows> sync(pg::Connection& connection, const SyncRequest& request);

// The watermarks of a snapshot, as a device keeps them.
SyncVector vector_of(const ShardStates& states);
// The position up to which each shard was told; -1: nothing of it.
std::vector<std::int64_t> told(const SyncRequest& request, const SyncVector& now);

}  // namespace martlet::store
