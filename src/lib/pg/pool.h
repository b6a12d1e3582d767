#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "event/workers.h"
#include "lib/pg/connection.h"

namespace martlet::pg {

struct PoolOptions {
  ConnectOptions connect;
  std::size_t threads = 2;
  std::size_t max_queue = 1000;  // jobs waiting for a thread
};

// Threads with a connection each, beside a loop: blocking work goes in, results come back to the
// loop. A thread that lost its connection opens another with backoff: the job that it opens it for
// waits for that (connect_timeout_s), and until the next attempt jobs fail at once (kLost).
//
// Loop thread, where also everything that work and done hold comes to its end. Destroying it waits
// for the jobs under way, drops those that wait, and calls no callback any more.
class Pool {
 public:
  Pool(event::Loop& loop, PoolOptions options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Runs work(connection) on a thread, then done(result) on the loop. False: the queue is full, and
  // neither will be called.
  template <class T>
  bool submit(std::function<Result<T>(Connection&)> work, std::function<void(Result<T>)> done) {
    return enqueue([this, work = std::move(work), done = std::move(done)](
                       Connection* connection, const Error& unavailable) {
      auto result = std::make_shared<Result<T>>(
          connection != nullptr ? work(*connection) : Result<T>(tl::unexpected(unavailable)));
      workers_.post([done, result] { done(std::move(*result)); });
    });
  }

  std::size_t waiting() const;

 private:
  using Job = std::function<void(Connection*, const Error& unavailable)>;
  class Session;
  bool enqueue(Job job);
  event::Workers::Job next();

  const PoolOptions options_;
  std::vector<std::unique_ptr<Session>> sessions_;  // one a thread
  std::deque<Job> jobs_;                            // under the lock of workers_
  event::Workers workers_;
};

}  // namespace martlet::pg
