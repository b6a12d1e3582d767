#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "event/workers.h"
#include "persist/hash_queue.h"
#include "persist/metrics.h"

namespace martlet::persist {

// A few threads for password hashes, which take long on purpose, and the queue before them. Loop
// thread. Destroying it waits for the hashes under way, drops those that wait, and calls nothing
// back any more. metrics must outlive it.
class HashPool {
 public:
  HashPool(event::Loop& loop, PersistMetrics& metrics, const HashQueue::Limits& limits);

  // Runs work() on a thread, then done(result) on the loop. kBusy instead, at once or later, when
  // too many wait or its turn did not come while somebody waited for it.
  template <class T>
  void submit(MonotonicTime wanted_until, std::function<Result<T>()> work,
              std::function<void(const Result<T>&)> done) {
    HashQueue::Job job;
    job.work = [this, wanted_until, work = std::move(work), done] {
      auto result = std::make_shared<Result<T>>(work());
      workers_.post([this, wanted_until, done, result] {
        is_wanted(wanted_until) ? done(*result) : done(tl::unexpected(busy()));
      });
    };
    job.too_late = [this, done] { done(tl::unexpected(busy())); };
    if (!enqueue(std::move(job), wanted_until)) done(tl::unexpected(busy()));
  }

  // Answers those whose turn did not come in time.
  void tick();

 private:
  bool enqueue(HashQueue::Job job, MonotonicTime wanted_until);
  bool is_wanted(MonotonicTime wanted_until);
  Error busy() const;
  event::Workers::Job next();

  event::Loop& loop_;
  PersistMetrics& metrics_;
  HashQueue queue_;  // under the lock of workers_
  event::Workers workers_;
};

}  // namespace martlet::persist
