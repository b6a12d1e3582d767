#include "edge/timer_wheel.h"

#include <algorithm>

#include "base/assert.h"

namespace martlet::edge {

TimerWheel::Entry::~Entry() {
  unlink();
  if (gone_ != nullptr) *gone_ = true;
}

void TimerWheel::Entry::expire() {
  bool gone = false;
  gone_ = &gone;
  // Outside of the entry while it runs, since it may destroy the entry.
  std::function<void()> callback = std::move(on_expired_);
  callback();
  if (gone) return;
  gone_ = nullptr;
  on_expired_ = std::move(callback);
}

void TimerWheel::Entry::unlink() {
  previous_->next_ = next_;
  next_->previous_ = previous_;
  next_ = previous_ = this;
}

void TimerWheel::Entry::insert_before(Entry& head) {
  next_ = &head;
  previous_ = head.previous_;
  previous_->next_ = this;
  head.previous_ = this;
}

TimerWheel::TimerWheel(MonotonicTime start, Duration tick, std::size_t slots)
    : start_(start), tick_(tick), slots_(slots) {
  MARTLET_ASSERT(tick > Duration(0) && slots > 1);
  for (Entry*& slot : slots_) slot = new Entry();
}

TimerWheel::~TimerWheel() {
  for (Entry* slot : slots_) {
    while (slot->is_scheduled()) slot->next_->unlink();
    delete slot;
  }
}

std::uint64_t TimerWheel::tick_of(MonotonicTime time) const {
  return time <= start_ ? 0 : static_cast<std::uint64_t>((time - start_) / tick_);
}

bool TimerWheel::schedule(Entry& entry, MonotonicTime deadline) {
  // The first tick at or after the deadline, and never one that was handled already.
  const std::uint64_t tick = std::max(tick_of(deadline + tick_ - Duration(1)), done_ + 1);
  if (entry.is_scheduled() && entry.tick_ == tick) return false;
  entry.unlink();
  entry.tick_ = tick;
  entry.insert_before(*slots_[tick % slots_.size()]);
  return true;
}

std::size_t TimerWheel::advance(MonotonicTime now) {
  const std::uint64_t target = tick_of(now);
  if (target <= done_) return 0;
  // After a long sleep every slot is due, but none twice.
  const std::uint64_t first = std::max(done_ + 1, target - std::min(target, slots_.size()) + 1);
  done_ = target;  // what is scheduled meanwhile comes later
  std::size_t looked_at = 0;
  for (std::uint64_t tick = first; tick <= target; ++tick) {
    looked_at += expire_slot(target, *slots_[tick % slots_.size()]);
  }
  return looked_at;
}

std::size_t TimerWheel::expire_slot(std::uint64_t up_to, Entry& slot) {
  // Moved to a list of its own: callbacks may change the slot and destroy any entry.
  Entry work;
  while (slot.is_scheduled()) {
    Entry& entry = *slot.next_;
    entry.unlink();
    entry.insert_before(work);
  }
  std::size_t looked_at = 0;
  while (work.is_scheduled()) {
    Entry& entry = *work.next_;
    ++looked_at;
    entry.unlink();
    if (entry.tick_ > up_to) {
      entry.insert_before(slot);  // due in a later round
    } else {
      entry.expire();
    }
  }
  return looked_at;
}

}  // namespace martlet::edge
