#include "persist/hash_pool.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/assert.h"
#include "persist/limits.h"

namespace martlet::persist {

struct HashPool::State {
  State(event::Loop& l, PersistMetrics& m, const HashQueue::Limits& limits)
      : loop(l), metrics(m), queue(limits) {}

  event::Loop& loop;
  PersistMetrics& metrics;
  // Read on the loop by results that arrive after the pool's end.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  std::mutex mutex;
  std::condition_variable wake;
  HashQueue queue;        // guarded by mutex
  bool stopping = false;  // guarded by mutex
  std::vector<std::thread> threads;
};

HashPool::HashPool(event::Loop& loop, PersistMetrics& metrics, const HashQueue::Limits& limits)
    : state_(std::make_unique<State>(loop, metrics, limits)) {
  MARTLET_ASSERT(limits.threads > 0);
  for (std::size_t i = 0; i < limits.threads; ++i)
    state_->threads.emplace_back([state = state_.get()] { run_thread(*state); });
}

HashPool::~HashPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->queue.clear();
  }
  state_->wake.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  *state_->alive = false;
}

bool HashPool::enqueue(HashQueue::Job job, MonotonicTime wanted_until) {
  {
    const std::lock_guard lock(state_->mutex);
    if (!state_->queue.push(std::move(job), wanted_until, state_->loop.now())) {
      state_->metrics.hash_ended(HashEnd::kRefused);
      return false;
    }
  }
  state_->wake.notify_one();
  return true;
}

void HashPool::tick() {
  std::vector<HashQueue::Job> late;
  {
    const std::lock_guard lock(state_->mutex);
    late = state_->queue.take_late(state_->loop.now());
    state_->metrics.hashes_waiting(state_->queue.size());
  }
  for (const HashQueue::Job& job : late) {
    state_->metrics.hash_ended(HashEnd::kDropped);
    job.too_late();
  }
}

void HashPool::post(event::Task task) {
  state_->loop.post([alive = state_->alive, task = std::move(task)] {
    if (*alive) task();
  });
}

bool HashPool::is_wanted(MonotonicTime wanted_until) {
  const bool wanted = state_->loop.now() < wanted_until;
  state_->metrics.hash_ended(wanted ? HashEnd::kDone : HashEnd::kUseless);
  return wanted;
}

Error HashPool::busy() const {
  Duration wait{};
  {
    const std::lock_guard lock(state_->mutex);
    wait = state_->queue.expected_wait();
  }
  const auto wait_ms = std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
  const auto retry_ms = std::clamp<std::int64_t>(wait_ms, kBusyRetryMs, kMaxHashRetryMs);
  return {ErrorCode::kBusy, "too many passwords wait to be checked",
          static_cast<std::uint32_t>(retry_ms)};
}

void HashPool::run_thread(State& state) {
  const SystemClock clock;
  std::unique_lock lock(state.mutex);
  for (;;) {
    std::optional<HashQueue::Job> job;
    state.wake.wait(lock, [&] {
      if (!state.stopping) job = state.queue.pop(clock.now());
      return state.stopping || job.has_value();
    });
    if (state.stopping) return;
    lock.unlock();
    const MonotonicTime started = clock.now();
    job->work();
    const Duration took = clock.now() - started;
    // The request that it holds belongs to the loop and must end there.
    state.loop.post([done = std::make_shared<HashQueue::Job>(std::move(*job))] {});
    lock.lock();
    state.queue.finished(took);
  }
}

}  // namespace martlet::persist
