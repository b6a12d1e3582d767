#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <set>
#include <utility>

#include "dispatcher/types.h"
#include "model/conversation.h"
#include "model/ids.h"

namespace martlet::dispatcher {

// Senders that are to be told when the database has their message.
struct StoredWait {
  LogPosition position;
  Asker asker;
  ClientMsgId id;
  ConversationId conversation;
  Seq seq;
  MessageId message_id;
  WallMs time_ms = 0;
};

// Bounded, and one for each session and message however often it asks. What does not fit is
// dropped: the sender's repeat is answered with the state of then.
class StoredWaits {
 public:
  explicit StoredWaits(std::size_t limit) : limit_(limit) {}

  // False: no room. A wait that is here already is not added again.
  bool add(StoredWait wait);
  // Hands out and forgets those up to the watermark.
  void release(LogPosition watermark, const std::function<void(const StoredWait&)>& take);
  std::size_t size() const { return waits_.size(); }

 private:
  using Key = std::pair<SessionId, MessageId>;

  std::size_t limit_;
  std::deque<StoredWait> waits_;  // in the order of their positions
  std::set<Key> keys_;            // of all that wait
};

}  // namespace martlet::dispatcher
