#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "model/conversation.h"
#include "model/ids.h"

namespace martlet::dispatcher {

struct OpenEntry;

// A message by its name, whatever became of it.
std::string message_key(const ConversationId& conversation, const UserId& sender,
                        const ClientMsgId& id);

// What is known of a message that was accepted, or is about to be.
struct KnownMessage {
  Seq seq;
  MessageId message_id;
  WallMs time_ms = 0;
  std::uint64_t content_hash = 0;
  LogPosition position;       // 0 while open, and for what the database told us
  OpenEntry* open = nullptr;  // queued or being appended; null: it is in the log
};

// The messages that a shard recognizes without asking the database: everything above the watermark,
// and everything else for at least 30 s.
//
// complete_since() is the wall time since which nothing is missing: a message first sent later
// (plus a margin for clocks) that is not here was never accepted. Loop thread.
class Window {
 private:
  // Nodes of the map do not move.
  using Map = std::unordered_map<std::string, KnownMessage>;

 public:
  using Slot = Map::value_type;

  Window() = default;
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  Window(Window&&) = default;
  Window& operator=(Window&&) = default;

  Slot* find(const ConversationId& conversation, const UserId& sender, const ClientMsgId& id);

  // A message that waits for its append. There is none of that name yet. The slot stays where it is
  // and is not forgotten before settle().
  Slot* open(const ConversationId& conversation, const UserId& sender, const ClientMsgId& id,
             const KnownMessage& message);
  // It is in the log now: kept until `until` at least.
  void settle(Slot* slot, LogPosition position, MonotonicTime until);

  // A message read from the log or told by the database. Replaces nothing; false: known already.
  bool add(const ConversationId& conversation, const UserId& sender, const ClientMsgId& id,
           const KnownMessage& message, MonotonicTime until);

  void forget_old(MonotonicTime now, LogPosition watermark);

  WallMs complete_since() const { return complete_since_; }
  // What was accepted before this may be missing.
  void raise_complete_since(WallMs time);

  std::size_t size() const { return messages_.size(); }

 private:
  struct Leaving {
    MonotonicTime until;
    const std::string* key;
  };

  Map messages_;
  std::deque<Leaving> leaving_;  // settled ones, in the order of `until`
  WallMs complete_since_ = 0;
};

}  // namespace martlet::dispatcher
