#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/conversation.h"
#include "model/group.h"
#include "model/ids.h"
#include "wire/log_batch.h"

namespace martlet::store {

// Where entries lie in the logs. The batch is the one that they are in.
struct LogPlace {
  ShardId shard;
  LogPosition position;
  const wire::Batch* batch = nullptr;
};

// What entries of one or more shards' logs change, gathered so that each table is written by one
// statement. Ordered maps: rows are locked in the same order by everybody. Pure; refers to the
// entries added.
class ApplyPlan {
 public:
  struct ConversationChange {
    ShardId shard;
    std::uint64_t last_seq = 0;
    std::uint64_t last_position = 0;
    std::uint64_t sent_first = 0;
    std::uint64_t sent_second = 0;
    bool begins = false;  // has the first message: its users become members
  };
  struct ReadChange {
    ShardId shard;
    std::uint64_t seq = 0;
    std::uint64_t position = 0;
  };
  struct MessageRow {
    const wire::Entry* entry;
    LogPlace place;
  };
  // A message that changes who is in its group.
  struct GroupEntry {
    const wire::Entry* entry;
    LogPosition position;
    MembersChange change;
  };
  using ReadKey = std::pair<std::string, std::string>;  // user, conversation

  void add(const wire::Entry& entry, const LogPlace& place);

  const std::map<std::string, ConversationChange>& conversations() const { return conversations_; }
  const std::map<ReadKey, ReadChange>& reads() const { return reads_; }
  const std::vector<MessageRow>& messages() const { return messages_; }
  // In the order of each shard's log.
  const std::vector<GroupEntry>& groups() const { return groups_; }
  // Changes of members that can't be read: they are messages, and change nothing. A bug.
  const std::vector<MessageRow>& unreadable() const { return unreadable_; }

 private:
  void add_message(const wire::Entry& entry, const LogPlace& place);
  void add_members(const wire::Entry& entry, const LogPlace& place);
  void add_read(const wire::Entry& entry, const LogPlace& place);

  std::map<std::string, ConversationChange> conversations_;
  std::map<ReadKey, ReadChange> reads_;
  std::vector<MessageRow> messages_;
  std::vector<GroupEntry> groups_;
  std::vector<MessageRow> unreadable_;
};

}  // namespace martlet::store
