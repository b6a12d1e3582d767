#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.h"

struct event_base;
struct event;

namespace martlet::event {

using Task = std::function<void()>;

// A single-threaded event loop (libevent). Everything that a service does happens inside one;
// classes built on it are not thread-safe on purpose and may assert(loop.is_inside()).
//
// Tasks and callbacks must not throw and must not block.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop(). The calling thread becomes the loop's thread.
  void run();
  // Any thread. Tasks already posted may or may not run.
  void stop();

  // The one door between threads: runs the task in the loop, after those posted before it. One
  // wake-up serves all tasks that were posted meanwhile.
  void post(Task task);

  // In the loop, once, when the present turn (all callbacks that are ready now) has ended. For work
  // that gathers over a turn: flushes, batches. Loop thread only.
  void at_turn_end(Task task);

  // Called at the end of each turn with the time that its callbacks took. One observer.
  void on_turn(std::function<void(Duration)> observer);

  // Keeps the object alive until the turn has ended: for objects that end inside their own
  // callback.
  template <class T>
  void defer_delete(std::unique_ptr<T> object) {
    at_turn_end([keep = std::shared_ptr<T>(std::move(object))] {});
  }

  // True on the loop's thread, and before run() was called.
  bool is_inside() const;

  // Time at the start of the present turn; cheap.
  MonotonicTime now() const;
  WallMs wall_ms() const;

  // For wrappers in event/ and lib/ only.
  event_base* raw() { return base_; }

 private:
  friend class Timer;
  friend class SocketWatch;
  friend class SignalWatch;
  // Every callback of a wrapper says so before it begins: the first one starts the turn's time.
  void note_callback();
  void drain_posted();
  void schedule_turn_end();
  void run_turn_end();
  static void on_wake(int fd, short what, void* self);

  event_base* base_ = nullptr;
  ::event* wake_event_ = nullptr;
  ::event* turn_end_event_ = nullptr;
  int wake_fd_ = -1;
  std::thread::id thread_;
  bool stopping_ = false;

  std::mutex posted_mutex_;
  std::vector<Task> posted_;  // guarded by posted_mutex_
  std::vector<Task> at_turn_end_;

  std::function<void(Duration)> turn_observer_;
  std::optional<MonotonicTime> turn_started_;
};

// The loop's clock as a Clock, for pure cores.
class LoopClock final : public Clock {
 public:
  explicit LoopClock(const Loop& loop) : loop_(loop) {}
  MonotonicTime now() const override { return loop_.now(); }
  WallMs wall_ms() const override { return loop_.wall_ms(); }

 private:
  const Loop& loop_;
};

// Calls back once or repeatedly on the loop. Destroying it (also inside its own callback) cancels.
class Timer {
 public:
  Timer(Loop& loop, Task callback);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start_once(Duration delay);  // replaces what was scheduled
  void start_every(Duration period);
  void cancel();
  bool is_scheduled() const;

 private:
  static void on_fire(int fd, short what, void* self);
  struct State;
  std::shared_ptr<State> state_;
};

// Watches a descriptor that it does not own. Level-triggered.
class SocketWatch {
 public:
  // readable / writable: which of the two is the case.
  using Callback = std::function<void(bool readable, bool writable)>;
  SocketWatch(Loop& loop, int fd, Callback callback);
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  void want(bool read, bool write);

 private:
  static void on_ready(int fd, short what, void* self);
  struct State;
  std::shared_ptr<State> state_;
};

// Calls back on the loop when the process gets the signal.
class SignalWatch {
 public:
  SignalWatch(Loop& loop, int signal, Task callback);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  Loop& loop_;
  ::event* event_ = nullptr;
  Task callback_;
};

}  // namespace martlet::event
