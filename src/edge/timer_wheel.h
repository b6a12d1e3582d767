#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/clock.h"

namespace martlet::edge {

// Deadlines of many things at the cost of a few pointers each. Pure: the owner calls advance()
// about once a tick. One thread; entries and wheel may go in any order.
//
// A deadline that moves is moved at once: two links are changed, at most once a tick however often
// it moves. So a tick looks only at what is due in it, however many entries are alive. Moving them
// late, when the old deadline comes, would look at every entry that lives once in its delay.
class TimerWheel {
 public:
  class Entry {
   public:
    explicit Entry(std::function<void()> on_expired) : on_expired_(std::move(on_expired)) {}
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    bool is_scheduled() const { return next_ != this; }

   private:
    friend class TimerWheel;
    Entry() = default;
    void unlink();
    void insert_before(Entry& head);
    void expire();

    Entry* next_ = this;
    Entry* previous_ = this;
    std::uint64_t tick_ = 0;
    std::function<void()> on_expired_;
    bool* gone_ = nullptr;  // told when the entry is destroyed inside its own callback
  };

  // More slots than the longest usual delay has ticks, or entries are looked at once a round.
  TimerWheel(MonotonicTime start, Duration tick, std::size_t slots);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Expires in the first advance() that is a whole tick or less past the deadline, never before
  // it. Replaces what was scheduled; false if the entry waits for the same tick already.
  bool schedule(Entry& entry, MonotonicTime deadline);
  static void cancel(Entry& entry) { entry.unlink(); }

  // Calls on_expired of all that is due, in the order of ticks; they may schedule, cancel and
  // destroy any entry. Returns how many entries were looked at.
  std::size_t advance(MonotonicTime now);

 private:
  std::uint64_t tick_of(MonotonicTime time) const;
  std::size_t expire_slot(std::uint64_t up_to, Entry& slot);

  MonotonicTime start_;
  Duration tick_;
  std::uint64_t done_ = 0;  // all ticks up to this one were handled
  std::vector<Entry*> slots_;
};

}  // namespace martlet::edge
