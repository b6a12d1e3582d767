#pragma once

#include <cstddef>
#include <deque>
#include <functional>

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

// Bounded. What does not fit is dropped: the sender's repeat is answered with the state of then.
class StoredWaits {
 public:
  explicit StoredWaits(std::size_t limit) : limit_(limit) {}

  // False: no room.
  bool add(StoredWait wait);
  // Hands out and forgets those up to the watermark.
  void release(LogPosition watermark, const std::function<void(const StoredWait&)>& take);
  std::size_t size() const { return waits_.size(); }

 private:
  std::size_t limit_;
  std::deque<StoredWait> waits_;  // in the order of their positions
};

}  // namespace martlet::dispatcher
