#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "model/conversation.h"
#include "model/ids.h"
#include "wire/admin.h"
#include "wire/group_answers.h"
#include "wire/requests.h"
#include "wire/rpc.h"
#include "wire/trace.h"

// Plain values that go in and out of the store.
namespace martlet::store {

// How far a shard's log is applied, and what a stream sequence means. Log position = base +
// sequence; generation grows whenever the log turned out to have lost its tail.
struct ShardState {
  LogPosition watermark;
  std::uint64_t base = 0;
  Generation generation;
  friend bool operator==(const ShardState&, const ShardState&) = default;
};

// state: the row afterwards, which may be somebody else's doing.
struct RaisedBase {
  ShardState state;
  bool changed = false;  // by this call
};

// By shard number; as of one moment.
using ShardStates = std::vector<ShardState>;

// One batch as it lies in the log.
struct LoggedBatch {
  LogPosition position;
  Bytes bytes;
};

// Batches that follow each other from expected.watermark + 1 on.
struct ApplyRequest {
  ShardId shard;
  ShardState expected;
  std::vector<LoggedBatch> batches;  // not empty
  // Each entry in a savepoint of its own; one that PostgreSQL refuses is kept in dead_entries.
  bool one_by_one = false;
};

enum class ApplyOutcome {
  kCommitted,  // the watermark is the position of the last batch
  kFenced,     // the row is not as expected: somebody else applies, or base was raised
  kUnknown,    // the connection broke: look at the row before anything else
  kRefused,    // refused for the content of an entry: again, one by one
  kRetry,      // nothing was committed, for reasons of the moment
  kDuplicate,  // a seq is there already: a bug, the shard must stop
};

struct ApplyResult {
  ApplyOutcome outcome = ApplyOutcome::kRetry;
  std::string detail;
  std::size_t messages = 0;
  std::size_t dead = 0;     // entries that went to dead_entries
  std::size_t repeats = 0;  // messages that were there already: tombstones are in their places
};

// A message as it is stored.
struct StoredRow {
  ConversationId conversation;
  Seq seq;
  MessageId message_id;
  UserId sender;
  ClientMsgId client_msg_id;
  WallMs time_ms = 0;
  Generation generation;
  Bytes content;
  bool removed = false;
};

struct FetchRequest {
  UserId user;
  std::vector<wire::Range> ranges;
  // What may be in the log and not here yet is answered as `remaining` rather than dropped or
  // withheld: seqs above a conversation's last, and those of a group that the user is not in.
  bool keep_unknown = false;
};

struct FetchRows {
  std::vector<StoredRow> messages;
  std::vector<wire::Range> withheld;   // seqs without a row, or not for this user
  std::vector<wire::Range> remaining;  // ask again with these
  // Shards of which seqs were asked that are not here, or for which the user has to be in a group.
  std::vector<ShardId> beyond;
  // A group that the user never was in; the rest is empty then.
  std::optional<ConversationId> not_member;
};

struct HistoryRequest {
  UserId user;
  wire::History body;
};

struct HistoryRows {
  std::vector<StoredRow> messages;
  std::vector<wire::Range> withheld;
  bool more = false;
  bool not_member = false;  // the user never was in the group
};

// Up to where a device has been told, by shard number. A shard of which the generation differs
// counts as untold.
struct SyncVector {
  std::vector<Generation> generations;
  std::vector<LogPosition> positions;
  friend bool operator==(const SyncVector&, const SyncVector&) = default;
};

struct SyncRequest {
  UserId user;
  std::optional<SyncVector> since;    // none: a first sync
  std::int64_t after = 0;             // conversations with greater row ids
  std::size_t max_conversations = 0;  // 0: as limits.h says; tests ask for fewer
};

struct SyncConversation {
  std::int64_t row_id = 0;
  ConversationId conversation;
  Seq last_seq;
  Seq read_seq;
  Seq peer_read_seq;
  std::uint64_t unread = 0;
  Seq first_seq{1};
  Seq start_seq{1};
  Seq members_at;          // groups only
  bool is_former = false;  // groups only: the user is no member any more, last_seq is the end of it
  Generation generation;
  std::vector<StoredRow> newest;  // a first sync only, oldest first
};

struct SyncRows {
  SyncVector now;  // of the snapshot
  std::vector<SyncConversation> conversations;
  bool more = false;
};

// Several cold questions of dispatchers, answered from one snapshot.
using ColdQuestions = std::vector<wire::ColdQuestion>;
using ColdAnswers = std::vector<wire::ColdAnswer>;

// A page of a group's members, for one of them.
struct GroupInfoRequest {
  UserId user;
  GroupId group;
  std::string after;
  std::size_t limit = 0;
};

struct GroupListRequest {
  UserId user;
  std::string after;
  std::size_t limit = 0;
};

// A device that is signed in.
struct DeviceRow {
  DeviceId device;
  WallMs last_login_ms = 0;
};

// device: that one; empty: all but `asking`.
struct SignOutRequest {
  UserId user;
  DeviceId device;
  DeviceId asking;
};

enum class LoginOutcome {
  kDone,
  kBanned,     // the device
  kNotTheirs,  // another service vouches for the user, but the account is not one that it made
};

// signed_out: other devices that had to go for this one.
struct LoginResult {
  LoginOutcome outcome = LoginOutcome::kDone;
  std::vector<DeviceId> signed_out;
  friend bool operator==(const LoginResult&, const LoginResult&) = default;
};

// is_known: false for a user who does not exist: nothing was done or written. signed_out: the
// devices that were signed in until now.
struct AdminDone {
  bool is_known = true;
  std::vector<DeviceId> signed_out;
  friend bool operator==(const AdminDone&, const AdminDone&) = default;
};

struct NewToken {
  Bytes hash;
  WallMs now_ms = 0;
  WallMs expires_ms = 0;
  // Of a login: another service vouches for the user. The account is made if there is none, and no
  // token of the login is good for longer.
  std::optional<WallMs> vouched_until_ms = {};
};

enum class RefreshOutcome {
  kRenewed,
  kRepeated,  // used just before, but its successor was not: renewed again, the successor is void
  kInvalid,   // no such token
  kExpired,
  kRevoked,  // of an earlier login, or the device is revoked
  kReused,   // used before: the device is revoked now
};

struct RefreshResult {
  RefreshOutcome outcome = RefreshOutcome::kInvalid;
  UserId user;
  DeviceId device;
};

}  // namespace martlet::store
