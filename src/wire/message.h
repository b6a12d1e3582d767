#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "model/ids.h"

namespace martlet::wire {

// One message as clients see it: the body of MessageEvent and an element of pages. Views, since
// this is the hot path; conversation and sender were checked when it was parsed.
struct Message {
  std::string_view conversation;
  Seq seq;
  MessageId message_id;
  std::string_view sender;
  ClientMsgId client_msg_id;
  WallMs time_ms = 0;
  BytesView content;  // encoded Content; empty when removed
  Generation generation;
  Seq members_at;  // groups
  bool removed = false;
  friend bool operator==(const Message&, const Message&) = default;
};

Bytes encode(const Message& message);
Result<Message> parse_message(BytesView body);

// What the message needs at most in a page; a page of up to kMaxAnswerBytes is filled by this.
std::size_t size_in_page(const Message& message);

}  // namespace martlet::wire
