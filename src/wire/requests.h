#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "client_generated.h"
#include "model/conversation.h"
#include "model/ids.h"

// Bodies that clients send. encode() makes one; parse_…() reads one that came from a peer and
// checks all that can be checked without asking anybody, so that what it returns is good.
//
// Views point into the body (or, for encode, to wherever the caller keeps the bytes).
//
// Errors: kBadBody (does not verify, a required field is missing, not UTF-8, an unknown value of an
// enum), kBadId, kBadRange, kBadContent, kBadPassword.
namespace martlet::wire {

using proto::AckLevel;
using proto::Direction;

struct Ping {};

struct Register {
  UserId user;
  std::string_view password;
};

struct Login {
  UserId user;
  DeviceId device;
  std::string_view password;
  std::string_view token;  // of another service, instead of the password; empty: none
};

struct Auth {
  std::string_view access_token;
  std::string_view client;
};

struct Refresh {
  std::string_view refresh_token;
};

struct Goodbye {};

// Exactly one of to_user and to_group is set.
struct Send {
  UserId to_user;
  GroupId to_group;
  ClientMsgId client_msg_id;
  BytesView content;
  std::optional<Duration> age;  // since it was first sent; none: unknown
  AckLevel want = AckLevel::Logged;
  std::optional<ClientMsgId> follows;
  bool trace = false;
};

struct Read {
  ConversationId conversation;
  Seq seq;
};

// Empty: absent.
struct Sync {
  BytesView token;
  BytesView page;
};

// Both ends included.
struct Range {
  ConversationId conversation;
  Seq from;
  Seq to;
  friend bool operator==(const Range&, const Range&) = default;
};

struct Fetch {
  std::vector<Range> ranges;
  std::uint32_t live_missed = 0;  // of these messages, live delivery should have brought so many
};

struct History {
  ConversationId conversation;
  Seq from;
  Direction direction = Direction::Backward;
  std::uint32_t limit = 0;  // as asked; the server cuts it
};

Bytes encode(const Ping& body);
Bytes encode(const Register& body);
Bytes encode(const Login& body);
Bytes encode(const Auth& body);
Bytes encode(const Refresh& body);
Bytes encode(const Goodbye& body);
Bytes encode(const Send& body);
Bytes encode(const Read& body);
Bytes encode(const Sync& body);
Bytes encode(const Fetch& body);
Bytes encode(const History& body);

Result<Ping> parse_ping(BytesView body);
Result<Register> parse_register(BytesView body);
Result<Login> parse_login(BytesView body);
Result<Auth> parse_auth(BytesView body);
Result<Refresh> parse_refresh(BytesView body);
Result<Goodbye> parse_goodbye(BytesView body);
// With the content: for edges.
Result<Send> parse_send(BytesView body);
// Leaves out the content, which an edge has checked: for who gets it from the bus.
Result<Send> parse_checked_send(BytesView body);
Result<Read> parse_read(BytesView body);
Result<Sync> parse_sync(BytesView body);
Result<Fetch> parse_fetch(BytesView body);
Result<History> parse_history(BytesView body);

}  // namespace martlet::wire
