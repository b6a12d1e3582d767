#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/pg/connection.h"
#include "store/apply_plan.h"
#include "store/group_plan.h"

namespace martlet::store {

// The statements that write a plan, one a table. They fail into the transaction.

using RowIds = std::map<std::string, std::int64_t, std::less<>>;  // conversation -> its row

// A cursor may be set in a conversation of another shard whose first message is not stored yet. Its
// row is made here, in a transaction of its own and in order of names, so that two shards never
// wait for each other. Only users who exist have conversations; groups are made by their creation.
void ensure_read_conversations(pg::Connection& connection, const ApplyPlan& plan,
                               std::uint16_t shards);

RowIds write_conversations(pg::Transaction& tx, const ApplyPlan& plan);
// The rows of read cursors: for both users of a new conversation, for all who join a group.
void write_members(pg::Transaction& tx, const ApplyPlan& plan, const RowIds& ids,
                   const GroupPlan& groups);
void write_messages(pg::Transaction& tx, const std::vector<ApplyPlan::MessageRow>& messages,
                    const RowIds& ids);
// Cursors in conversations that exist. In a group nobody sees one who was never a member.
void write_reads(pg::Transaction& tx, const ApplyPlan& plan);

}  // namespace martlet::store
