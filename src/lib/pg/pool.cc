#include "lib/pg/pool.h"

#include <algorithm>

#include "base/clock.h"

namespace martlet::pg {
namespace {

constexpr Duration kMinBackoff = std::chrono::milliseconds(100);
constexpr Duration kMaxBackoff = std::chrono::seconds(2);

}  // namespace

// A thread's connection, opened when it is needed.
class Pool::Session {
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

Pool::Pool(event::Loop& loop, PoolOptions options)
    : options_(std::move(options)),
      sessions_(options_.threads),
      workers_(loop, options_.threads, [this] { return next(); }) {}

Pool::~Pool() = default;

bool Pool::enqueue(Job job) {
  const bool fits = workers_.locked([&] {
    if (jobs_.size() >= options_.max_queue) return false;
    jobs_.push_back(std::move(job));
    return true;
  });
  if (fits) workers_.wake();
  return fits;
}

std::size_t Pool::waiting() const {
  return workers_.locked([this] { return jobs_.size(); });
}

event::Workers::Job Pool::next() {
  if (jobs_.empty()) return {};
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  return [this, job = std::move(job)](std::size_t thread) {
    std::unique_ptr<Session>& session = sessions_[thread];
    if (session == nullptr) session = std::make_unique<Session>(options_.connect);
    Connection* connection = session->get();
    job(connection, session->error());
  };
}

}  // namespace martlet::pg
