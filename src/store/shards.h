#pragma once

#include "lib/pg/connection.h"
#include "store/types.h"

namespace martlet::store {

// All shards, as of one moment. Blocks.
pg::Result<ShardStates> load_shards(pg::Connection& connection);
// Within a transaction of the caller; empty when it failed.
ShardStates load_shards(pg::Transaction& tx);

// The log ends at sequence `last`, below the watermark: it lost its tail. Raises base (new
// positions follow the watermark) and generation, if the row is still as expected. Blocks.
pg::Result<RaisedBase> raise_base(pg::Connection& connection, ShardId shard,
                                  const ShardState& expected, std::uint64_t last);

}  // namespace martlet::store
