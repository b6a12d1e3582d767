#include "event/loop.h"

#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "base/assert.h"
#include "event/timeval.h"

namespace martlet::event {
namespace {

event_base* new_base() {
  event_config* config = event_config_new();
  event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
  event_base* base = event_base_new_with_config(config);
  event_config_free(config);
  MARTLET_ASSERT(base != nullptr);
  return base;
}

}  // namespace

Loop::Loop() : base_(new_base()) {
  wake_fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  MARTLET_ASSERT(wake_fd_ >= 0);
  wake_event_ = event_new(base_, wake_fd_, EV_READ | EV_PERSIST, &Loop::on_wake, this);
  event_add(wake_event_, nullptr);
  turn_end_event_ = event_new(
      base_, -1, 0, [](int, short, void* self) { static_cast<Loop*>(self)->run_turn_end(); }, this);
}

Loop::~Loop() {
  // Tasks may own objects that post or defer again while they go.
  for (int round = 0; round < 8; ++round) {
    std::vector<Task> last;
    {
      const std::lock_guard lock(posted_mutex_);
      last.swap(posted_);
    }
    std::exchange(at_turn_end_, {}).clear();
    if (last.empty()) break;
  }
  event_free(turn_end_event_);
  event_free(wake_event_);
  ::close(wake_fd_);
  event_base_free(base_);
}

void Loop::run() {
  thread_ = std::this_thread::get_id();
  stopping_ = false;
  event_base_loop(base_, EVLOOP_NO_EXIT_ON_EMPTY);
  thread_ = {};
}

void Loop::stop() {
  post([this] {
    stopping_ = true;
    event_base_loopbreak(base_);
  });
}

void Loop::post(Task task) {
  bool was_empty = false;
  {
    const std::lock_guard lock(posted_mutex_);
    was_empty = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (!was_empty) return;
  const std::uint64_t one = 1;
  // The counter can't overflow: it is written once for each drained queue.
  const ssize_t written = ::write(wake_fd_, &one, sizeof one);
  MARTLET_ASSERT(written == sizeof one);
}

void Loop::on_wake(int fd, short, void* self) {
  std::uint64_t count = 0;
  // Nothing to read means that an earlier turn drained the queue: harmless.
  [[maybe_unused]] const ssize_t n = ::read(fd, &count, sizeof count);
  static_cast<Loop*>(self)->note_callback();
  static_cast<Loop*>(self)->drain_posted();
}

void Loop::drain_posted() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(posted_mutex_);
    tasks.swap(posted_);
  }
  for (Task& task : tasks) task();
}

void Loop::at_turn_end(Task task) {
  MARTLET_ASSERT(is_inside());
  at_turn_end_.push_back(std::move(task));
  if (at_turn_end_.size() == 1) schedule_turn_end();
}

// An activated event goes to the end of the queue of this turn, behind all that is ready now.
void Loop::schedule_turn_end() {
  event_active(turn_end_event_, EV_TIMEOUT, 0);
}

void Loop::run_turn_end() {
  std::vector<Task> tasks;
  tasks.swap(at_turn_end_);
  for (Task& task : tasks) task();
  if (turn_started_) turn_observer_(now() - *std::exchange(turn_started_, std::nullopt));
}

void Loop::on_turn(std::function<void(Duration)> observer) {
  turn_observer_ = std::move(observer);
}

void Loop::note_callback() {
  if (!turn_observer_ || turn_started_) return;
  turn_started_ = now();
  if (at_turn_end_.empty()) schedule_turn_end();
}

bool Loop::is_inside() const {
  return thread_ == std::thread::id() || thread_ == std::this_thread::get_id();
}

MonotonicTime Loop::now() const {
  return SystemClock().now();
}

WallMs Loop::wall_ms() const {
  return SystemClock().wall_ms();
}

// The state outlives the timer while its callback runs, so that a callback may destroy its timer.
struct Timer::State {
  Loop* loop = nullptr;
  ::event* handle = nullptr;
  Task callback;
  std::weak_ptr<State> self;
  ~State() { event_free(handle); }
};

Timer::Timer(Loop& loop, Task callback) : state_(std::make_shared<State>()) {
  state_->loop = &loop;
  state_->callback = std::move(callback);
  state_->self = state_;
  state_->handle = event_new(loop.raw(), -1, EV_PERSIST, &Timer::on_fire, state_.get());
}

Timer::~Timer() {
  cancel();
}

void Timer::on_fire(int, short, void* self) {
  const std::shared_ptr<State> keep = static_cast<State*>(self)->self.lock();
  if (!keep) return;
  keep->loop->note_callback();
  keep->callback();
}

void Timer::start_once(Duration delay) {
  event_del(state_->handle);
  // EV_PERSIST would repeat it: a one-shot timer is assigned without.
  event_base* base = event_get_base(state_->handle);
  event_assign(state_->handle, base, -1, 0, &Timer::on_fire, state_.get());
  const timeval time = to_timeval(std::max(delay, Duration(0)));
  event_add(state_->handle, &time);
}

void Timer::start_every(Duration period) {
  MARTLET_ASSERT(period > Duration(0));
  event_del(state_->handle);
  event_base* base = event_get_base(state_->handle);
  event_assign(state_->handle, base, -1, EV_PERSIST, &Timer::on_fire, state_.get());
  const timeval time = to_timeval(period);
  event_add(state_->handle, &time);
}

void Timer::cancel() {
  event_del(state_->handle);
}

bool Timer::is_scheduled() const {
  return event_pending(state_->handle, EV_TIMEOUT, nullptr) != 0;
}

struct SocketWatch::State {
  Loop* loop = nullptr;
  ::event* reader = nullptr;
  ::event* writer = nullptr;
  bool reading = false;
  bool writing = false;
  Callback callback;
  std::weak_ptr<State> self;
  ~State() {
    event_free(reader);
    event_free(writer);
  }
};

SocketWatch::SocketWatch(Loop& loop, int fd, Callback callback)
    : state_(std::make_shared<State>()) {
  state_->loop = &loop;
  state_->callback = std::move(callback);
  state_->self = state_;
  state_->reader =
      event_new(loop.raw(), fd, EV_READ | EV_PERSIST, &SocketWatch::on_ready, state_.get());
  state_->writer =
      event_new(loop.raw(), fd, EV_WRITE | EV_PERSIST, &SocketWatch::on_ready, state_.get());
}

SocketWatch::~SocketWatch() {
  want(false, false);
}

void SocketWatch::on_ready(int, short what, void* self) {
  const std::shared_ptr<State> keep = static_cast<State*>(self)->self.lock();
  if (!keep) return;
  keep->loop->note_callback();
  keep->callback((what & EV_READ) != 0, (what & EV_WRITE) != 0);
}

void SocketWatch::want(bool read, bool write) {
  if (read != state_->reading) {
    state_->reading = read;
    read ? event_add(state_->reader, nullptr) : event_del(state_->reader);
  }
  if (write != state_->writing) {
    state_->writing = write;
    write ? event_add(state_->writer, nullptr) : event_del(state_->writer);
  }
}

SignalWatch::SignalWatch(Loop& loop, int signal, Task callback)
    : loop_(loop), callback_(std::move(callback)) {
  event_ = evsignal_new(
      loop.raw(), signal,
      [](int, short, void* self) {
        auto* watch = static_cast<SignalWatch*>(self);
        watch->loop_.note_callback();
        watch->callback_();
      },
      this);
  event_add(event_, nullptr);
}

SignalWatch::~SignalWatch() {
  event_free(event_);
}

}  // namespace martlet::event
