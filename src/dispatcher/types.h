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
  friend bool operator==(const Asker&, const Asker&) = default;
};

// A SEND that was read from the bus and belongs to this shard.
struct SendFrame {
  Asker asker;
  UserId user;
  DeviceId device;
  ConversationId conversation;
  ClientMsgId id;
  std::optional<ClientMsgId> follows;
  Bytes content;
  std::uint64_t content_hash = 0;
  WallMs received_ms = 0;
  WallMs first_sent_ms = 0;  // 0: unknown
};

// An entry that has its number and waits for its append.
struct OpenEntry {
  wire::Entry entry;
  std::size_t bytes = 0;         // what it adds at most to a batch
  SessionId origin;              // the session that sent it and gets no event
  std::vector<Asker> askers;     // the first one sent it, the others repeated it
  Window::Slot* slot = nullptr;  // messages only
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
  SessionId origin;  // zero: nobody is left out
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
  std::optional<wire::ColdQuestion> question;  // answered by cold_answer()
  bool doubt = false;                          // read the lease again; this core is at its end
  std::string doubt_reason;
};

}  // namespace martlet::dispatcher
