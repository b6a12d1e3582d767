#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "client_generated.h"
#include "model/conversation.h"
#include "model/ids.h"
#include "wire/message.h"

// Bodies of what the server sends unasked (MessageEvent: message.h). Views point into the body.
namespace martlet::wire {

using proto::KickReason;

struct ReadEvent {
  ConversationId conversation;
  UserId user;
  Seq seq;
};

struct TypingEvent {
  ConversationId conversation;
  UserId user;
};

struct StoredEvent {
  ClientMsgId client_msg_id;
  ConversationId conversation;
  Seq seq;
};

struct ResyncEvent {
  std::uint32_t within_ms = 0;
  ConversationId conversation;  // empty: all
};

struct KickedEvent {
  KickReason reason = KickReason::Unknown;
  bool may_reconnect = false;
};

struct ReconnectEvent {
  std::string_view to;  // empty: the address you used
  std::uint32_t within_ms = 0;
};

Bytes encode(const ReadEvent& body);
Bytes encode(const TypingEvent& body);
Bytes encode(const StoredEvent& body);
Bytes encode(const ResyncEvent& body);
Bytes encode(const KickedEvent& body);
Bytes encode(const ReconnectEvent& body);

Result<ReadEvent> parse_read_event(BytesView body);
Result<TypingEvent> parse_typing_event(BytesView body);
Result<StoredEvent> parse_stored_event(BytesView body);
Result<ResyncEvent> parse_resync_event(BytesView body);
Result<KickedEvent> parse_kicked_event(BytesView body);
Result<ReconnectEvent> parse_reconnect_event(BytesView body);

}  // namespace martlet::wire
