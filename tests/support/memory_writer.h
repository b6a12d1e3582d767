#pragma once

#include <string>
#include <vector>

#include "lib/pg/error.h"
#include "store/apply_plan.h"
#include "store/group_plan.h"
#include "store/repeats.h"
#include "support/memory_apply.h"
#include "support/memory_tables.h"

namespace martlet::test {

// The statements of store/apply_rows.cc, repeats.cc and group_changes.cc on tables in memory, in
// one transaction. As with pg::Transaction, nothing happens after the first failure.
class MemoryWriter {
 public:
  MemoryWriter(Tables& tables, const MemoryApplyOptions& options, ShardId shard,
               std::uint64_t& made_ids)
      : tables_(tables), options_(options), shard_(shard), made_ids_(made_ids) {}

  bool ok() const { return !failed_; }
  const pg::Error& error() const { return error_; }
  std::size_t mark() const { return journal_.mark(); }
  // Answers why; from here on it works again.
  pg::Error roll_back(std::size_t mark = 0);
  void commit() { journal_.commit(); }

  void write_conversations(const store::ApplyPlan& plan);
  // Groups, their members, and the cursors of all who came into a conversation.
  void write_group_changes(const store::ApplyPlan& plan);
  void write_messages(const std::vector<store::ApplyPlan::MessageRow>& messages);
  void write_tombstones(const std::vector<store::ApplyPlan::MessageRow>& messages,
                        store::TombstoneIds which);
  void write_reads(const store::ApplyPlan& plan);
  // One that is kept already stays as it is.
  void keep_dead(DeadEntry entry);

 private:
  void fail(std::string sqlstate, std::string message);
  void violate(const char* index);
  ConversationTable& table_of(const wire::Entry& entry);
  store::GroupPlan plan_groups(const store::ApplyPlan& plan);
  void add_cursor(const std::string& user, std::int64_t conversation);
  void write_members(const store::ApplyPlan& plan, const store::GroupPlan& groups);
  void write_group_rows(const store::GroupPlan& groups);
  void write_changed(const store::GroupPlan& groups);
  void write_begun(const store::GroupPlan& groups);
  void write_disbanded(const store::GroupPlan& groups);
  void add_stay(ConversationTable& table, const std::string& user, const StayRow& row);
  void check_content(const store::ApplyPlan::MessageRow& message);
  void add_message(const store::ApplyPlan::MessageRow& message, MessageRow row);

  Tables& tables_;
  const MemoryApplyOptions& options_;
  const ShardId shard_;
  std::uint64_t& made_ids_;
  Journal journal_;
  bool failed_ = false;
  pg::Error error_;
};

}  // namespace martlet::test
