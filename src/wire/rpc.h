#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "model/conversation.h"
#include "model/group.h"
#include "model/ids.h"
#include "model/limits.h"
#include "wire/commands.h"

// Requests that persist answers, and one to the api (schemas/bus.fbs). Same rules as envelopes.h.
namespace martlet::wire {

// im.rpc.account, im.rpc.read: a client's request.
struct ClientRequest {
  Command command = Command::None;
  UserId user;  // empty before AUTH
  DeviceId device;
  BytesView body;
  Duration wait = std::chrono::milliseconds(kRpcTimeoutMs);  // then the asker has given up
};

// error.code kNone: body is the answer, whose command is answer_to(command).
struct ClientAnswer {
  Command command = Command::None;  // of the request
  Error error{.code = ErrorCode::kNone};
  BytesView body;
};

// im.rpc.shard
struct ShardQuestion {
  ShardId shard;
  LogPosition known{};  // the highest that was in the log, as far as the asker knows
};

struct ShardAnswer {
  Error error{.code = ErrorCode::kNone};
  ShardId shard;
  Generation generation;
  std::uint64_t base = 0;
  LogPosition watermark;
};

// im.rpc.cold
struct MessageKey {
  ConversationId conversation;
  UserId sender;
  ClientMsgId client_msg_id;
};

// Who would come into a group.
struct Newcomer {
  UserId user;
  GroupId group;
};

struct ColdQuestion {
  ShardId shard;
  Generation generation;
  LogPosition min_watermark;
  std::vector<ConversationId> conversations;
  std::vector<MessageKey> messages;
  std::vector<Newcomer> users;
  std::size_t items() const { return conversations.size() + messages.size() + users.size(); }
};

// kNew: two users who exist and never wrote. kNoSuchGroup: never created. kOmitted: the answer had
// no room for it, ask again.
enum class HeadStatus : std::uint8_t {
  kKnown = 1,
  kNew = 2,
  kNoSuchUser = 3,
  kNoSuchGroup = 4,
  kOmitted = 5,
};

// All members as of the snapshot.
struct GroupState {
  Seq members_at;
  GroupMembers members;
};

struct ConversationHead {
  HeadStatus status = HeadStatus::kNew;
  Seq last_seq;
  std::optional<GroupState> group;  // of a group that is kKnown
};

// kCameTooOften: into that group.
enum class UserStatus : std::uint8_t {
  kExists = 1,
  kNoSuchUser = 2,
  kTooManyGroups = 3,
  kCameTooOften = 4,
};

struct StoredMessage {
  bool found = false;
  Seq seq;
  MessageId message_id;
  WallMs time_ms = 0;
  std::uint64_t content_hash = 0;
};

struct ColdAnswer {
  Error error{.code = ErrorCode::kNone};
  Generation generation;
  LogPosition watermark;
  std::vector<ConversationHead> heads;
  std::vector<StoredMessage> messages;
  std::vector<UserStatus> users;
};

// im.rpc.groups: either a user, all of whose groups are wanted, or a group and those of its users
// whom the edge serves.
struct GroupsQuestion {
  UserId user;
  GroupId group;
  std::vector<UserId> users;
};

// The user sees messages from from_seq on; members_at is the group's.
struct GroupMembership {
  GroupId group;
  UserId user;
  Seq from_seq;
  Seq members_at;
};

// As of what was in the log when the question came, unless behind. Memberships that are not listed
// are none.
struct GroupsAnswer {
  Error error{.code = ErrorCode::kNone};
  Seq members_at;  // of the group that was asked for
  std::vector<GroupMembership> memberships;
  bool behind = false;
  std::uint32_t again_in_ms = 0;
};

// im.rpc.moves: an edge that drains asks where all of its sessions go, others whether some should.
struct MovesQuestion {
  EdgeId edge;
  std::uint32_t sessions = 0;
  bool draining = false;
};

// to: the address of another edge; empty: the address that they used.
struct Move {
  std::string to;
  std::uint32_t sessions = 0;
  friend bool operator==(const Move&, const Move&) = default;
};

struct MovesAnswer {
  std::vector<Move> moves;
};

Bytes encode(const ClientRequest& request);
Bytes encode(const ClientAnswer& answer);
Bytes encode(const ShardQuestion& question);
Bytes encode(const ShardAnswer& answer);
Bytes encode(const ColdQuestion& question);
Bytes encode(const ColdAnswer& answer);
Bytes encode(const MovesQuestion& question);
Bytes encode(const MovesAnswer& answer);
Bytes encode(const GroupsQuestion& question);
Bytes encode(const GroupsAnswer& answer);

Result<ClientRequest> parse_client_request(BytesView bytes);
Result<ClientAnswer> parse_client_answer(BytesView bytes);
Result<ShardQuestion> parse_shard_question(BytesView bytes);
Result<ShardAnswer> parse_shard_answer(BytesView bytes);
Result<ColdQuestion> parse_cold_question(BytesView bytes);
Result<ColdAnswer> parse_cold_answer(BytesView bytes);
Result<MovesQuestion> parse_moves_question(BytesView bytes);
Result<MovesAnswer> parse_moves_answer(BytesView bytes);
Result<GroupsQuestion> parse_groups_question(BytesView bytes);
Result<GroupsAnswer> parse_groups_answer(BytesView bytes);

}  // namespace martlet::wire
