#include "sim/scheduler.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"

namespace martlet::sim {
namespace {

constexpr WallMs kWallAtStart = 1'800'000'000'000;
// How often run_until looks at its condition.
constexpr std::uint64_t kLookEvery = 64;
// A hundred times what a world usually takes.
constexpr std::uint64_t kMaxSteps = 2'000'000;

Scheduler*& current() {
  static Scheduler* scheduler = nullptr;
  return scheduler;
}

}  // namespace

Scheduler::Scheduler(std::uint64_t seed) : random_(seed), process_random_(~seed) {
  MARTLET_ASSERT(current() == nullptr);
  current() = this;
}

Scheduler::~Scheduler() {
  // What tasks hold may schedule again while it goes.
  while (!heap_.empty()) std::exchange(heap_, {}).clear();
  current() = nullptr;
}

Scheduler& Scheduler::get() {
  MARTLET_ASSERT(current() != nullptr);
  return *current();
}

bool Scheduler::exists() {
  return current() != nullptr;
}

WallMs Scheduler::wall_ms() const {
  const Duration skew = lane_ ? lane_->wall_skew : Duration(0);
  return kWallAtStart + to_ms<WallMs>(now_.time_since_epoch() + skew);
}

void Scheduler::at(MonotonicTime when, LanePtr lane, Task task) {
  if (lane && lane->dead) return;
  heap_.push_back({std::max(when, now_), ++order_, std::move(lane), std::move(task)});
  std::push_heap(heap_.begin(), heap_.end(), Later());
}

bool Scheduler::step() {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), Later());
  Entry entry = std::move(heap_.back());
  heap_.pop_back();
  now_ = entry.when;
  MARTLET_ASSERT(++steps_ < kMaxSteps && "a world that never comes to rest");
  if (!entry.lane) return entry.task(), true;
  if (entry.lane->paused) return entry.lane->held.push_back(std::move(entry.task)), true;
  const InLane inside(entry.lane);
  entry.task();
  return true;
}

void Scheduler::run_until(MonotonicTime until, const std::function<bool()>& condition) {
  while (!heap_.empty() && heap_.front().when <= until) {
    if (condition && steps_ % kLookEvery == 0 && condition()) return;
    step();
  }
  if (!condition || !condition()) now_ = std::max(now_, until);
}

void Scheduler::resume(const LanePtr& lane) {
  if (!lane->paused) return;
  lane->paused = false;
  for (Task& task : std::exchange(lane->held, {})) at(now_, lane, std::move(task));
}

void Scheduler::kill(const LanePtr& lane) {
  lane->dead = true;
  // What tasks hold may schedule while it goes.
  const auto its_own = std::partition(heap_.begin(), heap_.end(),
                                      [&](const Entry& entry) { return entry.lane != lane; });
  std::vector<Entry> forgotten(std::make_move_iterator(its_own),
                               std::make_move_iterator(heap_.end()));
  heap_.erase(its_own, heap_.end());
  std::make_heap(heap_.begin(), heap_.end(), Later());
  forgotten.clear();
  std::exchange(lane->held, {}).clear();
  std::exchange(lane->expecting, {}).clear();
}

Duration Scheduler::between(Duration a, Duration b) {
  return a + Duration(static_cast<std::int64_t>(
                 random_.below(static_cast<std::uint64_t>((b - a).count()) + 1)));
}

InLane::InLane(LanePtr lane) : before_(std::exchange(Scheduler::get().lane_, std::move(lane))) {}

InLane::~InLane() {
  Scheduler::get().lane_ = std::move(before_);
}

}  // namespace martlet::sim
