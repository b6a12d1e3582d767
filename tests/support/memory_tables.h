#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "model/conversation.h"
#include "model/group.h"
#include "store/types.h"

// The tables of schemas/sql in memory, for DatabaseModel. Numbers are signed where PostgreSQL's
// are.
namespace martlet::test {

struct MessageRow {
  std::int64_t seq = 0;
  MessageId message_id;
  WallMs time_ms = 0;
  LogPosition position;
  std::uint64_t content_hash = 0;
  ClientMsgId client_msg_id;
  Generation generation;
  UserId sender;
  std::optional<Bytes> content;  // none: a tombstone
};
using Messages = std::map<std::int64_t, MessageRow>;  // by seq

// A row of memberships. to_seq 0: a member.
struct StayRow {
  std::int64_t from_seq = 0;
  std::int64_t joined_seq = 0;
  std::int64_t joined_position = 0;
  std::int64_t to_seq = 0;
  std::int64_t ended_position = 0;
  GroupRole role = GroupRole::kMember;
  std::int64_t stay = 1;  // counts those of the user in the group
};
using Stays = std::map<std::int64_t, StayRow>;        // by joined_seq
using Memberships = std::map<std::string, Stays>;     // by user
using OnceKey = std::pair<ClientMsgId, std::string>;  // and sender
struct OnceHash {
  std::size_t operator()(const OnceKey& key) const noexcept {
    return std::hash<ClientMsgId>()(key.first) ^ std::hash<std::string>()(key.second);
  }
};

struct GroupRow {
  std::string title;
  JoinPolicy join = JoinPolicy::kInvited;
  EarlierHistory earlier_history = EarlierHistory::kHidden;
  std::int64_t members_at = 0;
  std::int64_t members_count = 0;
  bool disbanded = false;
};

struct ConversationHeadRow {
  std::int64_t last_seq = 0;
  std::int64_t last_position = 0;
  std::int64_t sent_first = 0;
  std::int64_t sent_second = 0;
};

// A row of conversations, with what belongs to it in other tables.
struct ConversationTable {
  std::int64_t id = 0;
  ConversationId name;
  std::string first_user;  // one-to-one only
  std::string second_user;
  ShardId shard;
  ConversationHeadRow head;
  Messages messages;
  std::unordered_map<OnceKey, std::int64_t, OnceHash> once;  // messages_once: seqs
  std::optional<GroupRow> group;
  Memberships stays;

  // Null: the user is no member now.
  StayRow* current_stay(const std::string& user);
  const StayRow* current_stay(const std::string& user) const;
  // The last one; null: never a member.
  const StayRow* newest_stay(const std::string& user) const;
};

// A row of members.
struct CursorRow {
  std::int64_t read_seq = 0;
  std::int64_t read_position = 0;
  std::uint16_t read_shard = 0;
};
using Cursors = std::map<std::int64_t, CursorRow>;  // by conversation's row

// entry_index -1: the whole batch.
struct DeadEntry {
  ShardId shard;
  LogPosition position;
  std::int64_t entry_index = 0;
  std::string sqlstate;
  std::string reason;
  Bytes entry;
};
using DeadKey = std::tuple<ShardId, LogPosition, std::int64_t>;

struct AccountRow {
  std::string password_hash;
  WallMs created_ms = 0;
};

struct TokenRow {
  std::int64_t login = 0;
  WallMs expires_ms = 0;
  std::optional<WallMs> used_ms;
  std::optional<Bytes> previous;
};

struct DeviceTable {
  std::int64_t login = 0;
  bool revoked = false;
  bool banned = false;
  WallMs last_login_ms = 0;
  WallMs login_until_ms = std::numeric_limits<std::int64_t>::max();
  std::map<Bytes, TokenRow> tokens;  // by hash
};
using Devices = std::map<std::string, DeviceTable>;  // of a user

// How to take back what a transaction changed. The rows stay where they are until then.
class Journal {
 public:
  std::size_t mark() const { return undo_.size(); }
  void roll_back(std::size_t mark = 0);
  void commit() { undo_.clear(); }

  void note(std::function<void()> undo) { undo_.push_back(std::move(undo)); }
  // Before the row is changed.
  template <class Row>
  Row& changing(Row& row) {
    note([&row, before = row] { row = before; });
    return row;
  }
  // True if it was not there.
  template <class Map, class Key, class Row>
  bool insert(Map& map, const Key& key, Row row) {
    if (!map.try_emplace(key, std::move(row)).second) return false;
    note([&map, key] { map.erase(key); });
    return true;
  }

 private:
  std::vector<std::function<void()>> undo_;
};

struct Tables {
  explicit Tables(std::uint16_t shard_count);

  store::ShardStates shards;
  std::unordered_map<std::string, std::unique_ptr<ConversationTable>> conversations;  // by name
  std::unordered_map<std::int64_t, ConversationTable*> rows;                          // by id
  std::int64_t next_row_id = 1;                      // never taken back, as in PostgreSQL
  std::unordered_map<std::string, Cursors> cursors;  // by user
  std::map<DeadKey, DeadEntry> dead;
  std::unordered_map<std::string, AccountRow> accounts;
  std::set<std::string> lower_names;                                            // of accounts
  std::unordered_map<std::string, Devices> devices;                             // by user
  std::unordered_map<Bytes, std::pair<std::string, std::string>> token_owners;  // user, device

  std::map<std::uint64_t, wire::AuditRow> audit;  // by id
  std::uint64_t last_audit_id = 0;

  // Null: there is none.
  ConversationTable* find(const std::string& conversation) const;
  const Cursors& cursors_of(const std::string& user) const;
  // It must be new.
  ConversationTable& add_conversation(const std::string& name, ShardId shard, Journal& journal);
};

}  // namespace martlet::test
