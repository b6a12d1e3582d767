#pragma once

#include "lib/pg/connection.h"
#include "store/types.h"

namespace martlet::store {

// Both answer from one snapshot and stop where a page is full (store/limits.h). The caller has
// checked that the user is one of the two of a one-to-one conversation; of groups, a user sees the
// seqs of their stays, and nothing else is read. They block.
pg::Result<FetchRows> fetch(pg::Connection& connection, const FetchRequest& request,
                            std::uint16_t shards);
pg::Result<HistoryRows> history(pg::Connection& connection, const HistoryRequest& request);

}  // namespace martlet::store
