#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "model/conversation.h"
#include "model/ids.h"

namespace martlet::sim {

// What is written down while a world runs, and what its database has at the end. All that the
// checker knows.

// A message, or a change of a group, that a device's application asked for.
struct SentRecord {
  enum class Outcome { kOpen, kAcknowledged, kRefused };
  ConversationId conversation;
  ClientMsgId id;
  Bytes content;  // empty: a change of a group
  bool is_change = false;
  bool wants_stored = false;
  MonotonicTime at{};
  Outcome outcome = Outcome::kOpen;
  Seq seq;
  MessageId message_id;
  Generation generation;
  MonotonicTime answered_at{};  // the first time, if acknowledged
  Generation first_generation;  // of the log, that time
  bool stored = false;          // told so
  ErrorCode refusal = ErrorCode::kNone;
};

// A message as it was shown to an application.
struct ShownRecord {
  ConversationId conversation;
  Seq seq;
  MessageId message_id;
  UserId sender;
  ClientMsgId id;
  Bytes content;
  Generation generation;
  MonotonicTime at{};
  friend bool operator==(const ShownRecord&, const ShownRecord&) = default;
};

// The device was told that what it had from this seq on is void.
struct DroppedRecord {
  ConversationId conversation;
  Seq from;
  std::size_t shown_before = 0;  // so many had been shown
};

// The highest seq of each conversation that anybody was acknowledged.
using Acknowledged = std::map<ConversationId, Seq>;

struct DeviceHistory {
  UserId user;
  DeviceId device;
  bool from_start = true;          // it was there before the first message: it lacks nothing
  bool is_intruder = false;        // its token is not good: it may see nothing
  std::vector<SentRecord> sent;    // in the order of its application
  std::vector<ShownRecord> shown;  // in the order of its screen
  std::vector<DroppedRecord> dropped;
  std::vector<ShownRecord> pried;  // what HISTORY told of any conversation, the user's or not
  // After a SYNC that had everything in the log when it was asked for: what was acknowledged
  // before, and the device knows nothing of.
  std::vector<std::pair<ConversationId, Seq>> untold;
  bool stayed = false;               // one connection from the first message to the last
  std::vector<std::string> overdue;  // requests that nobody answered in time, with why
};

// What HISTORY told a new device, oldest first.
struct HistoryRead {
  UserId user;
  ConversationId conversation;
  std::vector<ShownRecord> messages;
};

// A conversation in the database, by seq.
struct StoredMessage {
  Seq seq;
  MessageId message_id;
  UserId sender;
  ClientMsgId id;
  Bytes content;
  Generation generation;
  bool tombstone = false;
};

struct History {
  std::vector<DeviceHistory> devices;
  std::vector<HistoryRead> reads;
  std::map<ConversationId, std::vector<StoredMessage>> store;
  std::size_t dead_entries = 0;
  Acknowledged acknowledged;
  bool calm = false;       // nothing but clients came and went
  bool ends_late = false;  // the broker told the ends of logs as they had been
  // A power cut took the end of a log: what was acknowledged and not stored by then may be gone.
  std::optional<MonotonicTime> power_cut;
  // Two were told that they own a shard (nats-server 2.9 with replicas): the log let only one of
  // them write, but what the other one refused for good may be there.
  bool two_owners = false;
  bool settled = true;    // everybody came to rest in time
  std::string unsettled;  // who did not
};

}  // namespace martlet::sim
