#include "lib/nats/inbound_queue.h"

#include <utility>

namespace martlet::nats {

bool InboundQueue::has_room(std::size_t bytes, bool droppable) const {
  const unsigned percent = droppable ? limits_.droppable_percent : 100;
  return items_.size() < limits_.messages / 100 * percent &&
         bytes_ + bytes <= limits_.bytes / 100 * percent;
}

void InboundQueue::put(Item item, bool droppable) {
  const std::size_t bytes = item.message.payload().size();
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (has_room(bytes, droppable)) {
      wake = items_.empty();
      bytes_ += bytes;
      items_.push_back(std::move(item));
    } else {
      ++dropped_;  // the queue is not empty, so the loop is awake and will report it
    }
  }
  if (wake) wake_();
}

void InboundQueue::offer(SubscriptionId id, const Message::Parts& message, bool droppable) {
  if (taker_ && taker_(id, Message(message))) return;
  put({id, Message::copy_of(message)}, droppable);
}

void InboundQueue::note_dropped() {
  {
    const std::lock_guard lock(mutex_);
    ++dropped_;
  }
  wake_();
}

std::deque<InboundQueue::Item> InboundQueue::take() {
  const std::lock_guard lock(mutex_);
  bytes_ = 0;
  return std::exchange(items_, {});
}

std::size_t InboundQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return items_.size();
}

std::uint64_t InboundQueue::take_dropped() {
  const std::lock_guard lock(mutex_);
  return std::exchange(dropped_, 0);
}

}  // namespace martlet::nats
