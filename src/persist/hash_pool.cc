#include "persist/hash_pool.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/assert.h"

namespace martlet::persist {

struct HashPool::State {
  State(event::Loop& l, std::size_t queue) : loop(l), max_queue(queue) {}

  event::Loop& loop;
  const std::size_t max_queue;
  // Read on the loop by results that arrive after the pool's end.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void()>> jobs;  // guarded by mutex
  bool stopping = false;                   // guarded by mutex
  std::vector<std::thread> threads;
};

HashPool::HashPool(event::Loop& loop, std::size_t threads, std::size_t max_queue)
    : state_(std::make_unique<State>(loop, max_queue)) {
  MARTLET_ASSERT(threads > 0);
  for (std::size_t i = 0; i < threads; ++i)
    state_->threads.emplace_back([state = state_.get()] { run_thread(*state); });
}

HashPool::~HashPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->jobs.clear();
  }
  state_->wake.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  *state_->alive = false;
}

bool HashPool::enqueue(std::function<void()> job) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->jobs.size() >= state_->max_queue) return false;
    state_->jobs.push_back(std::move(job));
  }
  state_->wake.notify_one();
  return true;
}

void HashPool::post(event::Task task) {
  state_->loop.post([alive = state_->alive, task = std::move(task)] {
    if (*alive) task();
  });
}

void HashPool::run_thread(State& state) {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(state.mutex);
      state.wake.wait(lock, [&] { return state.stopping || !state.jobs.empty(); });
      if (state.stopping) return;
      job = std::move(state.jobs.front());
      state.jobs.pop_front();
    }
    job();
  }
}

}  // namespace martlet::persist
