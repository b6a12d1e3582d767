// The event loop of src/event/loop.cc, in virtual time: everything that is due within one turn runs
// before the end of the turn, as with the real one. Sockets are those of sim/sockets.h.
#include "event/loop.h"

#include <utility>

#include "base/assert.h"
#include "sim/scheduler.h"
#include "sim/sockets.h"

// Stands in the place of libevent's: what the loop's own tasks look at when they run.
struct event_base {
  martlet::sim::LanePtr lane;
};

namespace martlet::event {
namespace {

using sim::Scheduler;

// What is ready within this time is one turn.
constexpr Duration kTurn = std::chrono::microseconds(40);

}  // namespace

Loop::Loop() : base_(new event_base{Scheduler::get().lane()}) {}

Loop::~Loop() {
  for (int round = 0; round < 8; ++round) {
    std::exchange(at_turn_end_, {}).clear();
    std::exchange(posted_, {}).clear();
  }
  delete base_;
}

void Loop::run() {
  MARTLET_ASSERT(false && "the scheduler runs all loops");
}

void Loop::stop() {}

void Loop::post(Task task) {
  posted_.push_back(std::move(task));
  if (posted_.size() > 1) return;
  Scheduler::get().after(Duration(0), base_->lane, [this] { drain_posted(); });
}

void Loop::drain_posted() {
  std::vector<Task> tasks;
  tasks.swap(posted_);
  for (Task& task : tasks) task();
}

void Loop::at_turn_end(Task task) {
  at_turn_end_.push_back(std::move(task));
  if (at_turn_end_.size() == 1) schedule_turn_end();
}

void Loop::schedule_turn_end() {
  Scheduler::get().after(kTurn, base_->lane, [this] { run_turn_end(); });
}

void Loop::run_turn_end() {
  std::vector<Task> tasks;
  tasks.swap(at_turn_end_);
  for (Task& task : tasks) task();
}

void Loop::on_turn(std::function<void(Duration)> observer) {
  turn_observer_ = std::move(observer);
}

void Loop::note_callback() {}

bool Loop::is_inside() const {
  return true;
}

MonotonicTime Loop::now() const {
  return Scheduler::get().now();
}

WallMs Loop::wall_ms() const {
  return Scheduler::get().wall_ms();
}

struct Timer::State {
  sim::LanePtr lane;
  Task callback;
  std::weak_ptr<State> self;
  std::uint64_t generation = 0;  // grows with each start and cancel
  bool scheduled = false;
  Duration period{};

  void schedule(Duration delay) {
    scheduled = true;
    Scheduler::get().after(delay, lane, [weak = self, started = generation] {
      const std::shared_ptr<State> state = weak.lock();
      if (state && state->generation == started) state->fire();
    });
  }
  void fire() {
    scheduled = false;
    if (period > Duration(0)) schedule(period);
    callback();
  }
};

Timer::Timer(Loop& loop, Task callback) : state_(std::make_shared<State>()) {
  state_->lane = loop.raw()->lane;
  state_->callback = std::move(callback);
  state_->self = state_;
}

Timer::~Timer() {
  cancel();
}

void Timer::start_once(Duration delay) {
  cancel();
  state_->period = Duration(0);
  state_->schedule(std::max(delay, Duration(0)));
}

void Timer::start_every(Duration period) {
  MARTLET_ASSERT(period > Duration(0));
  cancel();
  state_->period = period;
  state_->schedule(period);
}

void Timer::cancel() {
  ++state_->generation;
  state_->scheduled = false;
}

bool Timer::is_scheduled() const {
  return state_->scheduled;
}

struct SocketWatch::State final : sim::SocketListener {
  sim::LanePtr lane;
  int fd = -1;
  bool reading = false;
  bool writing = false;
  bool due = false;  // a look is scheduled
  Callback callback;
  std::weak_ptr<State> self;

  void on_change() override {
    if (due || !(reading || writing)) return;
    const sim::Readiness ready = sim::Sockets::get().readiness(fd);
    if (!((reading && ready.readable) || (writing && ready.writable))) return;
    due = true;
    Scheduler::get().after(Duration(0), lane, [weak = self] {
      if (const std::shared_ptr<State> state = weak.lock()) state->look();
    });
  }
  void look() {
    due = false;
    const sim::Readiness ready = sim::Sockets::get().readiness(fd);
    const bool readable = reading && ready.readable;
    const bool writable = writing && ready.writable;
    if (readable || writable) callback(readable, writable);
    on_change();
  }
};

SocketWatch::SocketWatch(Loop& loop, int fd, Callback callback)
    : state_(std::make_shared<State>()) {
  state_->lane = loop.raw()->lane;
  state_->fd = fd;
  state_->callback = std::move(callback);
  state_->self = state_;
  sim::Sockets::get().listen_to(fd, state_);
}

SocketWatch::~SocketWatch() {
  want(false, false);
}

void SocketWatch::want(bool read, bool write) {
  state_->reading = read;
  state_->writing = write;
  state_->on_change();
}

}  // namespace martlet::event
