#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "event/loop.h"
#include "lib/pg/connection.h"

namespace martlet::pg {

struct PoolOptions {
  ConnectOptions connect;
  std::size_t threads = 2;
  std::size_t max_queue = 1000;  // jobs waiting for a thread
};

// Threads with a connection each, beside a loop: blocking work goes in, results come back to the
// loop. A thread that lost its connection opens another with backoff; jobs that come meanwhile fail
// at once (kLost).
//
// Loop thread. Destroying it waits for the jobs under way, drops those that wait, and calls no
// callback any more.
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
      post([done, result] { done(std::move(*result)); });
    });
  }

  std::size_t waiting() const;

 private:
  using Job = std::function<void(Connection*, const Error& unavailable)>;
  struct State;
  bool enqueue(Job job);
  void post(event::Task task);
  static void run_thread(State& state);

  std::unique_ptr<State> state_;
};

}  // namespace martlet::pg
