#pragma once

#include <vector>

#include "lib/pg/connection.h"
#include "store/types.h"

namespace martlet::store {

using ApplyResults = std::vector<ApplyResult>;

// Writes batches of shards' logs and the shards' new watermarks in one transaction, exactly once:
// the shards' rows are locked and compared first. All or nothing: unless all of it is committed,
// everybody has the same result, whosever fault it is; one request alone has its own. Each shard is
// named once; one_by_one goes alone. shards: of the cluster. Blocks.
ApplyResults apply(pg::Connection& connection, const std::vector<ApplyRequest>& requests,
                   std::uint16_t shards);

}  // namespace martlet::store
