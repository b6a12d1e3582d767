#include "lib/pg/pool.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/assert.h"
#include "base/log.h"

namespace martlet::pg {
namespace {

constexpr Duration kMinBackoff = std::chrono::milliseconds(100);
constexpr Duration kMaxBackoff = std::chrono::seconds(2);

// A thread's connection, opened when it is needed.
class Session {
 public:
  explicit Session(const ConnectOptions& options) : options_(options) {}

  // Null while PostgreSQL can't be reached; error() says why.
  Connection* get() {
    if (connection_ != nullptr && connection_->is_usable()) return connection_.get();
    connection_.reset();
    if (clock_.now() < not_before_) return nullptr;
    auto opened = Connection::open(options_);
    if (!opened) {
      backoff_ = std::clamp(backoff_ * 2, kMinBackoff, kMaxBackoff);
      not_before_ = clock_.now() + backoff_;
      error_ = std::move(opened.error());
      return nullptr;
    }
    backoff_ = Duration(0);
    connection_ = std::move(*opened);
    return connection_.get();
  }
  const Error& error() const { return error_; }

 private:
  const ConnectOptions& options_;
  SystemClock clock_;
  std::unique_ptr<Connection> connection_;
  Error error_{Failure::kLost, {}, "not connected"};
  Duration backoff_{0};
  MonotonicTime not_before_{};
};

}  // namespace

struct Pool::State {
  State(event::Loop& l, PoolOptions o) : loop(l), options(std::move(o)) {}

  event::Loop& loop;
  const PoolOptions options;
  // Read on the loop by results that arrive after the pool's end.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::deque<Job> jobs;   // guarded by mutex
  bool stopping = false;  // guarded by mutex
  std::vector<std::thread> threads;
};

Pool::Pool(event::Loop& loop, PoolOptions options)
    : state_(std::make_unique<State>(loop, std::move(options))) {
  MARTLET_ASSERT(state_->options.threads > 0);
  for (std::size_t i = 0; i < state_->options.threads; ++i)
    state_->threads.emplace_back([state = state_.get()] { run_thread(*state); });
}

Pool::~Pool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->jobs.clear();
  }
  state_->wake.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  *state_->alive = false;
}

bool Pool::enqueue(Job job) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->jobs.size() >= state_->options.max_queue) return false;
    state_->jobs.push_back(std::move(job));
  }
  state_->wake.notify_one();
  return true;
}

void Pool::post(event::Task task) {
  state_->loop.post([alive = state_->alive, task = std::move(task)] {
    if (*alive) task();
  });
}

std::size_t Pool::waiting() const {
  const std::lock_guard lock(state_->mutex);
  return state_->jobs.size();
}

void Pool::run_thread(State& state) {
  Session session(state.options.connect);
  for (;;) {
    Job job;
    {
      std::unique_lock lock(state.mutex);
      state.wake.wait(lock, [&] { return state.stopping || !state.jobs.empty(); });
      if (state.stopping) return;
      job = std::move(state.jobs.front());
      state.jobs.pop_front();
    }
    Connection* connection = session.get();
    job(connection, session.error());
  }
}

}  // namespace martlet::pg
