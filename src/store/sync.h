#pragma once

#include "lib/pg/connection.h"
#include "store/types.h"

namespace martlet::store {

// A user's conversations that changed since a vector of log positions, from one snapshot, in order
// of their row ids. Blocks.
pg::Result<SyncRows> sync(pg::Connection& connection, const SyncRequest& request);

}  // namespace martlet::store
