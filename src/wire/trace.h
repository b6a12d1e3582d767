#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "client_generated.h"
#include "model/conversation.h"
#include "model/ids.h"

// The flight recorder (schemas/bus.fbs): what processes did with messages that are followed, and
// what is durable of any message. Same rules as envelopes.h. Nothing of it carries a content.
namespace martlet::wire {

// In the order of a message's life.
enum class HopKind : std::uint8_t {
  kEdgeIn = 1,
  kEdgePublished = 2,
  kEdgeGaveUp = 3,
  kDispatcherIn = 4,
  kParked = 5,
  kAppendSent = 6,
  kAppended = 7,
  kAnswered = 8,
  kFannedOut = 9,
  kEventIn = 10,
  kWritten = 11,
  kWriteWaits = 12,
  kAnswerIn = 13,
  kAnswerWritten = 14,
  kAnswerWaits = 15,
};

// after: what must have happened before, on whichever process; its own kind: nothing. count: what
// Hop::number counts, in words; empty: nothing.
struct HopName {
  HopKind kind;
  HopKind after;
  std::string_view name;
  std::string_view count;
};
inline constexpr std::array kHops{
    HopName{HopKind::kEdgeIn, HopKind::kEdgeIn, "edge in", ""},
    HopName{HopKind::kEdgePublished, HopKind::kEdgeIn, "published by edge", "times"},
    HopName{HopKind::kEdgeGaveUp, HopKind::kEdgePublished, "no answer, edge gave up", ""},
    HopName{HopKind::kDispatcherIn, HopKind::kEdgePublished, "dispatcher in", ""},
    HopName{HopKind::kParked, HopKind::kDispatcherIn, "asks persist first", ""},
    HopName{HopKind::kAppendSent, HopKind::kDispatcherIn, "append sent", "entries"},
    HopName{HopKind::kAppended, HopKind::kAppendSent, "append acknowledged", "position"},
    HopName{HopKind::kAnswered, HopKind::kDispatcherIn, "answer to sender's edge", ""},
    HopName{HopKind::kFannedOut, HopKind::kAppended, "fanned out", "subjects"},
    HopName{HopKind::kEventIn, HopKind::kFannedOut, "event at edge", ""},
    HopName{HopKind::kWritten, HopKind::kEventIn, "written to sockets", "sessions"},
    HopName{HopKind::kWriteWaits, HopKind::kEventIn, "waits for slow sessions", "sessions"},
    HopName{HopKind::kAnswerIn, HopKind::kAnswered, "answer at edge", ""},
    HopName{HopKind::kAnswerWritten, HopKind::kAnswerIn, "answer written to socket", ""},
    HopName{HopKind::kAnswerWaits, HopKind::kAnswerIn, "answer waits for slow session", ""},
};
const HopName& hop_name(HopKind kind);

// A message is told from others by sender and client_msg_id, of which all hops know.
struct Hop {
  HopKind kind = HopKind::kEdgeIn;
  UserId sender;
  ClientMsgId client_msg_id;
  WallUs time_us = 0;           // wall clock of the process
  ConversationId conversation;  // empty, as all that follows: not known there
  Seq seq;
  MessageId message_id;
  ShardId shard;
  std::uint64_t number = 0;
  ErrorCode error = ErrorCode::kNone;  // why not
  bool flagged = false;                // its sender wants it followed; else it is so by chance
  UserId user;                         // on whose subject an event came; empty: a group's
};

// Where what happens to a message that is followed is noted.
class HopSink {
 public:
  virtual ~HopSink() = default;
  // It happens now: the time of the hop is set here.
  virtual void record(Hop hop) = 0;
};

// im.trace
struct HopReport {
  std::string service;
  std::string name;           // a label
  std::string instance;       // fresh at every start
  std::uint64_t dropped = 0;  // since the start
  std::vector<Hop> hops;      // at most kMaxHopsPerReport
};

// By chance, without agreement: the same for every copy of the message.
bool is_sampled(const ClientMsgId& id, std::uint32_t permille);

// im.rpc.trace: exactly one of message_id, conversation with seq, client_msg_id.
struct TraceQuestion {
  MessageId message_id;
  ConversationId conversation;
  Seq seq;
  ClientMsgId client_msg_id;
};

struct TraceMember {
  UserId user;
  bool sees = false;    // it is not withheld from them
  bool member = false;  // now
  Seq read_seq;
};

struct TraceRow {
  ConversationId conversation;
  Seq seq;
  MessageId message_id;
  UserId sender;
  ClientMsgId client_msg_id;
  WallMs time_ms = 0;
  proto::ContentKind kind = proto::ContentKind::Unknown;
  std::uint32_t bytes = 0;  // of the content
  bool removed = false;     // PostgreSQL refused the content
  ShardId shard;
  Generation generation;
  LogPosition position;
  LogPosition first;  // that the log still has; 0: not known
  LogPosition watermark;
  std::vector<TraceMember> members;  // at most kMaxTraceMembers
  std::uint32_t members_count = 0;
};

// behind: a message that is not here may be in the log, and not stored yet.
struct TraceAnswer {
  Error error{.code = ErrorCode::kNone};
  bool behind = false;
  std::vector<TraceRow> rows;  // newest first, at most kMaxTraceRows
};

Bytes encode(const HopReport& report);
Bytes encode(const TraceQuestion& question);
Bytes encode(const TraceAnswer& answer);

Result<HopReport> parse_hop_report(BytesView bytes);
Result<TraceQuestion> parse_trace_question(BytesView bytes);
Result<TraceAnswer> parse_trace_answer(BytesView bytes);

}  // namespace martlet::wire
