#pragma once

#include "lib/pg/connection.h"
#include "store/apply_rows.h"

namespace martlet::store {

// Reads what is stored of the groups that the plan changes and makes the changes, in memory. The
// shards' rows are locked, so nobody else changes them.
GroupPlan plan_groups(pg::Transaction& tx, const ApplyPlan& plan, const RowIds& ids);
// Writes them.
void write_groups(pg::Transaction& tx, const GroupPlan& groups);

}  // namespace martlet::store
