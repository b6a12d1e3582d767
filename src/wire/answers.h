#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "client_generated.h"
#include "model/conversation.h"
#include "model/ids.h"
#include "wire/message.h"
#include "wire/requests.h"

// Bodies of answers to clients' requests: encode() for servers, parse_…() for clients. Views point
// into the body.
namespace martlet::wire {

using proto::Membership;

struct Pong {
  WallMs time_ms = 0;
};

struct Registered {
  UserId user;
};

// Of LOGIN and of REFRESH.
struct Tokens {
  std::string_view access_token;
  std::string_view refresh_token;
  std::uint32_t expires_in_s = 0;
};

struct AuthOk {
  UserId user;
  DeviceId device;
  SessionId session;
  std::string_view edge;
  std::uint32_t heartbeat_ms = 0;
  std::uint32_t tail_check_ms = 0;
  std::uint32_t max_body_bytes = 0;
  std::uint32_t max_unanswered = 0;
  std::uint32_t expires_in_s = 0;
  WallMs time_ms = 0;
};

struct GoodbyeOk {};

struct Ack {
  ClientMsgId client_msg_id;
  ConversationId conversation;
  Seq seq;
  MessageId message_id;
  WallMs time_ms = 0;
  AckLevel level = AckLevel::Logged;
  Generation generation;
};

struct ReadOk {
  ConversationId conversation;
  Seq seq;
};

// Seqs that the device may not see; they count as received.
using Withheld = Range;

struct ConversationState {
  ConversationId conversation;
  Seq last_seq;
  Seq read_seq;
  Seq peer_read_seq;
  std::uint64_t unread = 0;
  Seq first_seq;
  Generation generation;
  Membership membership = Membership::Member;
  std::vector<Message> newest;  // first sync only, oldest first
  Seq members_at;               // groups: the last change of membership
  Seq start_seq;                // where a device that does not know it begins
};

struct SyncPage {
  std::vector<ConversationState> conversations;
  BytesView next_page;  // empty: this is the last one
  BytesView token;      // of the last page
  bool behind = false;
  std::uint32_t again_in_ms = 0;
};

struct FetchPage {
  std::vector<Message> messages;
  std::vector<Withheld> withheld;
  std::vector<Range> remaining;
};

struct HistoryPage {
  std::vector<Message> messages;
  std::vector<Withheld> withheld;
  bool more = false;
  bool behind = false;
  std::uint32_t again_in_ms = 0;
};

// The answer to a request that was refused. The name of the code is written, not read.
struct Refusal {
  Error error;
  bool retryable = false;  // encode() sets it from the code; parse takes what the server said
  std::optional<ClientMsgId> client_msg_id;
};

Bytes encode(const Pong& body);
Bytes encode(const Registered& body);
Bytes encode(const Tokens& body);
Bytes encode(const AuthOk& body);
Bytes encode(const GoodbyeOk& body);
Bytes encode(const Ack& body);
Bytes encode(const ReadOk& body);
Bytes encode(const SyncPage& body);
Bytes encode(const FetchPage& body);
Bytes encode(const HistoryPage& body);
Bytes encode(const Refusal& body);

Result<Pong> parse_pong(BytesView body);
Result<Registered> parse_registered(BytesView body);
Result<Tokens> parse_tokens(BytesView body);
Result<AuthOk> parse_auth_ok(BytesView body);
Result<GoodbyeOk> parse_goodbye_ok(BytesView body);
Result<Ack> parse_ack(BytesView body);
Result<ReadOk> parse_read_ok(BytesView body);
Result<SyncPage> parse_sync_page(BytesView body);
Result<FetchPage> parse_fetch_page(BytesView body);
Result<HistoryPage> parse_history_page(BytesView body);
Result<Refusal> parse_refusal(BytesView body);

// What a conversation without its messages needs at most in a SyncPage.
std::size_t size_in_page(const ConversationState& state);

}  // namespace martlet::wire
