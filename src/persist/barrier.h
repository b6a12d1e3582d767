#pragma once

#include <functional>
#include <list>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bus/log.h"
#include "persist/watermarks.h"

namespace martlet::persist {

// Lets requests wait until what was in the logs when they came is stored. One look-up of the logs'
// ends serves all that came before it started. Look-ups take half of the time at most: the next one
// starts when twice the time has passed that the last one took, and look_up_period at the latest.
// Pure: the shell makes the look-ups and ticks. Loop thread; callbacks run inside the calls.
class Barrier {
 public:
  // behind: the wait took too long, or the logs could not be asked.
  using Release = std::function<void(bool behind)>;
  struct Limits {
    std::size_t max_waiting;
    Duration max_wait;
    Duration look_up_period;
  };

  // watermarks outlives it.
  Barrier(const Watermarks& watermarks, Limits limits) : watermarks_(watermarks), limits_(limits) {}

  // shards: those that matter; empty: all. False: too many wait already.
  bool add(std::vector<ShardId> shards, MonotonicTime now, Release release);

  // Called whenever somebody begins to wait.
  void on_add(std::function<void()> listener) { on_add_ = std::move(listener); }

  // When a look-up should start, zero: now; the caller then calls look_up_started, and later
  // look_up_done. None: nobody waits for one, or one is under way.
  std::optional<Duration> look_up_in(MonotonicTime now) const;
  // The shards whose ends are wanted; empty: all.
  std::vector<ShardId> look_up_started(MonotonicTime now);
  void look_up_done(const Result<bus::LogInfos>& infos, MonotonicTime now);

  void watermarks_changed();
  void tick(MonotonicTime now);

  std::size_t waiting() const { return waiters_.size(); }

 private:
  enum class Phase { kNew, kAsked, kKnown };
  struct Waiter {
    std::vector<ShardId> shards;
    MonotonicTime until;
    Phase phase = Phase::kNew;
    std::vector<std::pair<ShardId, LogPosition>> targets;  // not reached yet
    Release release;
  };

  // By shard; none: not known.
  using Ends = std::vector<std::optional<LogPosition>>;

  Ends ends_of(const bus::LogInfos& infos) const;
  bool set_targets(Waiter& waiter, const Ends& ends) const;
  bool is_satisfied(Waiter& waiter) const;
  void release_if(const std::function<bool(Waiter&)>& condition, bool behind);

  const Watermarks& watermarks_;
  const Limits limits_;
  std::list<Waiter> waiters_;  // in the order of their arrival
  bool looking_up_ = false;
  MonotonicTime last_look_up_{};
  Duration look_up_took_{};
  std::function<void()> on_add_;
};

}  // namespace martlet::persist
