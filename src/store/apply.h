#pragma once

#include "lib/pg/connection.h"
#include "store/types.h"

namespace martlet::store {

// Writes batches of a shard's log and its new watermark in one transaction, exactly once: the
// shard's row is locked and compared first. shards: of the cluster. Blocks.
ApplyResult apply(pg::Connection& connection, const ApplyRequest& request, std::uint16_t shards);

}  // namespace martlet::store
