#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "event/loop.h"

namespace martlet::event {

// Threads beside a loop, for work that would block it. The owner keeps the queue: it bounds and
// orders it as it likes. A job runs on a thread; what it holds belongs to the loop and ends there.
//
// Loop thread, except where said. Destroying it waits for the jobs under way and runs nothing any
// more, neither jobs nor what was posted. Whatever next() touches must outlive it.
class Workers {
 public:
  using Job = std::function<void(std::size_t thread)>;  // threads are counted from 0
  // The next job; none: the thread waits for wake(). Called on the threads, under the lock.
  using Next = std::function<Job()>;

  Workers(Loop& loop, std::size_t threads, Next next);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Any thread: calls the function under the lock that next() is called under.
  template <class Function>
  auto locked(Function function) const {
    const std::lock_guard lock(mutex_);
    return function();
  }
  // There is a job more.
  void wake() { wake_.notify_one(); }
  // Any thread: the loop's thread runs the task, unless this has ended by then. Either way the task
  // itself ends on the loop's thread.
  void post(Task task);

 private:
  void run(std::size_t thread);
  void drain();

  Loop& loop_;
  const Next next_;
  // Read on the loop by what arrives after our end.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::mutex posted_mutex_;
  std::vector<Task> posted_;  // guarded by posted_mutex_
  std::vector<std::thread> threads_;
};

}  // namespace martlet::event
