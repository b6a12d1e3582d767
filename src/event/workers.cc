#include "event/workers.h"

#include <utility>

#include "base/assert.h"

namespace martlet::event {

Workers::Workers(Loop& loop, std::size_t threads, Next next) : loop_(loop), next_(std::move(next)) {
  MARTLET_ASSERT(threads > 0);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this, i] { run(i); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  *alive_ = false;
}

void Workers::run(std::size_t thread) {
  std::unique_lock lock(mutex_);
  for (;;) {
    Job job;
    wake_.wait(lock, [&] {
      if (!stopping_) job = next_();
      return stopping_ || job;
    });
    if (stopping_) return;
    lock.unlock();
    job(thread);
    post([job = std::move(job)] {});
    lock.lock();
  }
}

// The tasks stay with us, not with the loop: what they hold may be gone when the loop ends.
void Workers::post(Task task) {
  bool was_empty = false;
  {
    const std::lock_guard lock(posted_mutex_);
    was_empty = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (!was_empty) return;
  loop_.post([this, alive = alive_] {
    if (*alive) drain();
  });
}

void Workers::drain() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(posted_mutex_);
    tasks.swap(posted_);
  }
  // A task may be the end of us.
  const std::shared_ptr<bool> alive = alive_;
  for (const Task& task : tasks) {
    if (!*alive) return;
    task();
  }
}

}  // namespace martlet::event
