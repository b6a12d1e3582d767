#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "sim/coverage.h"

namespace martlet::sim {

using Task = std::function<void()>;

// What runs, pauses and dies together: one simulated process. Tasks of a dead lane are dropped,
// those of a paused one wait until it is resumed.
struct Lane {
  std::string name;
  bool paused = false;
  bool dead = false;
  Duration wall_skew{};    // of its wall clock
  std::vector<Task> held;  // became due while it was paused
};
using LanePtr = std::shared_ptr<Lane>;

// Virtual time and everything that will happen in it, one thread, in one order for each seed. There
// is one world at a time in a process: Scheduler::get() is it.
class Scheduler {
 public:
  explicit Scheduler(std::uint64_t seed);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  static Scheduler& get();
  static bool exists();

  MonotonicTime now() const { return now_; }
  WallMs wall_ms() const;
  // Randomness of the world: delays and faults.
  Random& random() { return random_; }
  // Randomness of the processes (SystemRandom).
  Random& process_random() { return process_random_; }

  // Tasks of the same time run in the order of these calls. lane null: the world's own.
  void at(MonotonicTime when, LanePtr lane, Task task);
  void after(Duration delay, LanePtr lane, Task task) {
    at(now_ + delay, std::move(lane), std::move(task));
  }

  // What happened in this world.
  Coverage& coverage() { return coverage_; }

  // Runs the next task. False: there is none.
  bool step();
  // Until then, or until the condition holds; it is looked at now and then.
  void run_until(MonotonicTime until, const std::function<bool()>& condition = {});
  std::uint64_t steps() const { return steps_; }

  void pause(const LanePtr& lane) { lane->paused = true; }
  void resume(const LanePtr& lane);

  // The lane whose task runs, or which is being built (InLane); null: the world.
  const LanePtr& lane() const { return lane_; }

  // From a to b, both included, evenly.
  Duration between(Duration a, Duration b);
  // True in so many of a thousand cases.
  bool chance(std::uint64_t per_mille) { return random_.below(1000) < per_mille; }

 private:
  friend class InLane;
  struct Entry {
    MonotonicTime when;
    std::uint64_t order;
    LanePtr lane;
    Task task;
  };
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
  };

  MonotonicTime now_{std::chrono::seconds(1000)};
  std::uint64_t order_ = 0;
  std::uint64_t steps_ = 0;
  SeededRandom random_;
  SeededRandom process_random_;
  std::vector<Entry> heap_;
  LanePtr lane_;
  Coverage coverage_;
};

// While it lives, what is built belongs to the lane.
class InLane {
 public:
  explicit InLane(LanePtr lane);
  ~InLane();
  InLane(const InLane&) = delete;
  InLane& operator=(const InLane&) = delete;

 private:
  LanePtr before_;
};

}  // namespace martlet::sim
