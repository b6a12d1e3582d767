#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "client_generated.h"
#include "model/ids.h"
#include "wire/commands.h"

// What travels between edges and owners of shards on the broker (schemas/bus.fbs): ClientFrame,
// ToEdge, ToUser, OwnerAnnounced, Watermark, EdgeBeat. The requests to persist are in rpc.h.
//
// encode() asserts that ids are good; parse_…() verifies and answers kBadBody or kBadId for what
// one of ours would never send. Views point into the message: valid while its bytes are.
namespace martlet::wire {

// Whether the flight recorder follows a message (wire/trace.h): chosen by chance, or by its sender.
enum class Traced : std::uint8_t { kNo = 0, kSampled = 1, kFlagged = 2 };

// A client's frame on its way to the owner of a shard. The names were checked.
struct ClientFrame {
  std::string_view edge;
  SessionId session;
  std::uint32_t request_id = 0;
  std::string_view user;
  std::string_view device;
  WallMs received_ms = 0;    // wall clock of the edge
  WallMs first_sent_ms = 0;  // received_ms minus the client's age_ms; 0: unknown
  Command command = Command::None;
  BytesView body;  // FlatBuffers
  Traced traced = Traced::kNo;
};

enum class AnswerKind : std::uint8_t { kAccepted = 1, kRefused = 2, kStored = 3 };

// Of the owner to one request. Which fields are set depends on kind and command: Accepted and
// Stored have conversation and seq, Refused has error.
struct Answer {
  AnswerKind kind = AnswerKind::kAccepted;
  SessionId session;
  std::uint32_t request_id = 0;
  Command command = Command::None;
  ClientMsgId client_msg_id;      // SEND only, else zero
  std::string_view conversation;  // checked, may be empty
  Seq seq;
  MessageId message_id;
  WallMs time_ms = 0;
  proto::AckLevel level = proto::AckLevel::Logged;  // Accepted: what is reached already
  ErrorCode error = ErrorCode::kNone;
  std::uint32_t retry_after_ms = 0;
  std::string_view detail;
  Traced traced = Traced::kNo;
};

struct AnswerBatch {
  ShardId shard;
  Generation generation;
  Epoch epoch;
  std::vector<Answer> answers;
};

// Edges obey it; nobody sends it.
struct KickSession {
  SessionId session;
  proto::KickReason reason = proto::KickReason::Unknown;
};

// The edge stops as on SIGTERM.
struct DrainEdge {
  std::string_view who;
};

// im.e.<edge>
using ToEdge = std::variant<AnswerBatch, KickSession, DrainEdge>;

// For the sessions of a user. body is a ready body of the client protocol.
struct Event {
  ShardId shard;
  Generation generation;
  Epoch epoch;
  LogPosition position;
  Command command = Command::None;
  std::string_view conversation;
  Seq seq;           // 0: not ordered
  Seq members_at;    // groups: the last change of membership before this event
  SessionId origin;  // the session that does not get it; zero: none
  BytesView body;
  bool members_change = false;  // the event is one itself: body is its Message
  Traced traced = Traced::kNo;  // else body is a Message
};

struct SessionStarted {
  DeviceId device;
  SessionId session;
  SessionId answers;  // told again, since it is greater than this, a later one; zero: none
  SessionId after;    // a greater one that was there before; zero: none
};

struct KickDevice {
  DeviceId device;  // empty: all of the user
  proto::KickReason reason = proto::KickReason::Unknown;
};

// im.u.<uid>
using ToUser = std::variant<Event, SessionStarted, KickDevice>;

struct OwnerAnnounced {
  ShardId shard;
  Generation generation;
  Epoch epoch;
  std::string_view owner;
  bool lost_events = false;  // of many users: all sessions must sync
};

struct Watermark {
  ShardId shard;
  Generation generation;
  std::uint64_t base = 0;
  LogPosition position;
};

struct EdgeBeat {
  EdgeId edge;
  std::string_view name;
  std::string_view address;
  std::string_view http;
  WallMs started_ms = 0;
  std::uint32_t connections = 0;
  std::uint32_t sessions = 0;
  bool draining = false;
  std::uint32_t weight = 100;
  std::uint32_t cpu_permille = 0;  // of one core
  std::uint32_t loop_lag_us = 0;
  std::uint64_t output_bytes_per_s = 0;
};

Bytes encode(const ClientFrame& frame);
Bytes encode(const AnswerBatch& batch);   // a ToEdge
Bytes encode(const KickSession& kick);    // a ToEdge
Bytes encode(const DrainEdge& drain);     // a ToEdge
Bytes encode(const Event& event);         // a ToUser
Bytes encode(const SessionStarted& one);  // a ToUser
Bytes encode(const KickDevice& kick);     // a ToUser
Bytes encode(const OwnerAnnounced& announced);
Bytes encode(const Watermark& watermark);
Bytes encode(const EdgeBeat& beat);

Result<ClientFrame> parse_client_frame(BytesView bytes);
Result<ToEdge> parse_to_edge(BytesView bytes);
Result<ToUser> parse_to_user(BytesView bytes);
Result<OwnerAnnounced> parse_owner_announced(BytesView bytes);
Result<Watermark> parse_watermark(BytesView bytes);
Result<EdgeBeat> parse_edge_beat(BytesView bytes);

}  // namespace martlet::wire
