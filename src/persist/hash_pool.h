#pragma once

#include <functional>
#include <memory>

#include "event/loop.h"

namespace martlet::persist {

// A few threads for password hashes, which take long on purpose. Loop thread; bounded. Destroying
// it waits for the hashes under way, drops those that wait, and calls nothing back any more.
class HashPool {
 public:
  HashPool(event::Loop& loop, std::size_t threads, std::size_t max_queue);
  ~HashPool();
  HashPool(const HashPool&) = delete;
  HashPool& operator=(const HashPool&) = delete;

  // Runs work() on a thread, then done(result) on the loop. False: too many wait.
  template <class T>
  bool submit(std::function<T()> work, std::function<void(T)> done) {
    return enqueue([this, work = std::move(work), done = std::move(done)] {
      auto result = std::make_shared<T>(work());
      post([done, result] { done(std::move(*result)); });
    });
  }

 private:
  struct State;
  bool enqueue(std::function<void()> job);
  void post(event::Task task);
  static void run_thread(State& state);

  std::unique_ptr<State> state_;
};

}  // namespace martlet::persist
