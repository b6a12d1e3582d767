#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include "lib/nats/message.h"

namespace martlet::nats {

// Chosen by who subscribes; an id is never used twice.
using SubscriptionId = std::uint64_t;

struct QueueLimits {
  std::size_t messages = 65'536;
  std::size_t bytes = 64U << 20;
  // What droppable messages may fill, in percent of both limits.
  unsigned droppable_percent = 75;
};

// Between a connection and who handles its messages on the loop. The library's delivery thread puts
// messages in and wakes the loop when the queue was empty; the loop takes all at once. The native
// client, which reads on the loop, offers them: they wait here only when others do, or when the
// turn has handled enough. Full: messages are dropped and counted.
class InboundQueue {
 public:
  struct Item {
    SubscriptionId subscription = 0;
    Message message;
  };

  // wake: called on the putting thread, without the lock.
  InboundQueue(QueueLimits limits, std::function<void()> wake)
      : limits_(limits), wake_(std::move(wake)) {}

  // Any thread.
  void put(Item item, bool droppable);
  // The loop. The bytes live as long as the call.
  void offer(SubscriptionId id, const Message::Parts& message, bool droppable);
  // Who handles what is offered; false: it shall wait in the queue, behind what waits there.
  using Taker = std::function<bool(SubscriptionId, const Message&)>;
  void on_offer(Taker taker) { taker_ = std::move(taker); }
  // Messages that the library itself dropped before they came here.
  void note_dropped();

  // The loop. Everything that is there, in order.
  std::deque<Item> take();
  // Messages that wait to be taken.
  std::size_t waiting() const;
  // Since the last call.
  std::uint64_t take_dropped();

 private:
  bool has_room(std::size_t bytes, bool droppable) const;

  const QueueLimits limits_;
  const std::function<void()> wake_;
  Taker taker_;
  mutable std::mutex mutex_;
  std::deque<Item> items_;     // guarded by mutex_
  std::size_t bytes_ = 0;      // guarded by mutex_
  std::uint64_t dropped_ = 0;  // guarded by mutex_
};

}  // namespace martlet::nats
