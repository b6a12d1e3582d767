#pragma once

#include "lib/pg/connection.h"
#include "store/types.h"

namespace martlet::store {

// All shards, as of one moment. Blocks.
pg::Result<ShardStates> load_shards(pg::Connection& connection);
// Within a transaction of the caller; empty when it failed.
ShardStates load_shards(pg::Transaction& tx);

// The log ends at sequence `last`, below the watermark or below `known`, a position that it had: it
// lost its tail. Everything that is left of it must be stored. If the row is still as expected, the
// watermark becomes the greater of the two, base follows it (so do new positions), and generation
// grows. Blocks.
pg::Result<RaisedBase> raise_base(pg::Connection& connection, ShardId shard,
                                  const ShardState& expected, std::uint64_t last,
                                  LogPosition known = LogPosition());

}  // namespace martlet::store
