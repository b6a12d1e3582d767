#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "bus/log.h"
#include "dispatcher/window.h"
#include "model/conversation.h"
#include "model/group.h"
#include "model/ids.h"
#include "wire/envelopes.h"
#include "wire/log_batch.h"
#include "wire/rpc.h"

// What goes into and comes out of the cores of a shard.
namespace martlet::dispatcher {

// Who waits for an answer, and where.
struct Asker {
  EdgeId edge;
  SessionId session;
  std::uint32_t request_id = 0;
  wire::Command command = wire::Command::Send;
  bool wants_stored = false;
  wire::Traced traced = wire::Traced::kNo;
  friend bool operator==(const Asker&, const Asker&) = default;
};

// What a frame wants to do to its group, and what the database said of the users who would come.
struct GroupAct {
  MembersChange change;
  std::vector<UserId> newcomers;       // whom it may bring in
  std::vector<UserId> unknown;         // those of them who do not exist
  std::vector<UserId> in_too_many;     // those of them who may be in no more groups
  std::vector<UserId> came_too_often;  // those of them who may not come again
};

// A SEND, or a change of a group, that was read from the bus and belongs to this shard.
struct SendFrame {
  Asker asker;
  UserId user;
  DeviceId device;
  ConversationId conversation;
  ClientMsgId id;
  std::optional<ClientMsgId> follows;
  Bytes content;  // a change's is made of it and of nothing else
  std::uint64_t content_hash = 0;
  MonotonicTime arrived;
  WallMs received_ms = 0;
  WallMs first_sent_ms = 0;       // 0: unknown
  std::unique_ptr<GroupAct> act;  // null: a message
};

// A frame that is refused because of a change that is not in the log yet.
struct RefusedByChange {
  Asker asker;
  UserId user;
  ClientMsgId id;
  ErrorCode code = ErrorCode::kNone;
};

// An entry that has its number and waits for its append.
struct OpenEntry {
  wire::Entry entry;
  std::size_t bytes = 0;  // what it adds at most to a batch
  SessionId origin;       // the session that sent it and gets no event
  MonotonicTime arrived;
  std::vector<Asker> askers;             // the first one sent it, the others repeated it
  Window::Slot* slot = nullptr;          // of what has a place in the order
  Seq members_at;                        // groups: of the last change before it
  std::vector<UserId> concerned;         // a change: who sees it beside the group
  std::vector<RefusedByChange> refused;  // a change: who hears so when it is in the log
  wire::Traced traced = wire::Traced::kNo;
};

// An answer that owns what wire::Answer views.
struct OutgoingAnswer {
  wire::Answer answer;
  std::string conversation;
};

// An entry of the log that its users are to see now.
struct LiveEntry {
  LogPosition position;
  wire::Entry entry;
  SessionId origin;                 // zero: nobody is left out
  Seq members_at{};                 // groups: of the last change before it
  std::vector<UserId> concerned{};  // a change of members: who sees it beside the group
  wire::Traced traced = wire::Traced::kNo;
};

// Somebody is writing. Never logged.
struct LiveTyping {
  ConversationId conversation;
  UserId user;
  SessionId origin;
  Seq members_at;  // groups
};

struct AppendRequest {
  Bytes batch;
  bus::LogSequence expected_last;
};

// What a core wants done, in this order. The shell takes all of it after each input.
struct Actions {
  std::optional<AppendRequest> append;  // answered by append_result()
  std::map<EdgeId, std::vector<OutgoingAnswer>> answers;
  std::vector<LiveEntry> events;
  std::vector<LiveTyping> typing;
  std::optional<wire::ColdQuestion> question;  // answered by cold_answer()
  bool doubt = false;                          // read the lease again; this core is at its end
  std::string doubt_reason;
};

}  // namespace martlet::dispatcher
