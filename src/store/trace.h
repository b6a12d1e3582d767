#pragma once

#include "lib/pg/connection.h"
#include "store/types.h"

namespace martlet::store {

// What the database knows of the messages asked for, newest first, and of who may see them, from
// one snapshot; TraceRow::first stays 0. Blocks.
pg::Result<std::vector<wire::TraceRow>> trace(pg::Connection& connection,
                                              const wire::TraceQuestion& question);

}  // namespace martlet::store
