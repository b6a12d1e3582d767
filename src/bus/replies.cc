#include "bus/replies.h"

#include <utility>

namespace martlet::bus {
namespace {

constexpr Duration kStep = std::chrono::milliseconds(20);

std::int64_t step_of(MonotonicTime time) {
  return time.time_since_epoch() / kStep;
}

}  // namespace

std::uint64_t Replies::add(MonotonicTime deadline, Callback callback) {
  if (waiting_.size() >= max_waiting_) return 0;
  const std::uint64_t number = ++last_number_;
  waiting_.emplace(number, Waiting{deadline, std::move(callback)});
  by_deadline_[step_of(deadline) + 1].push_back(number);
  return number;
}

std::optional<Replies::Waiting> Replies::take(std::uint64_t number) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return std::nullopt;
  Waiting waiting = std::move(found->second);
  waiting_.erase(found);
  return waiting;
}

void Replies::forget(std::uint64_t number) {
  take(number);
}

void Replies::deliver(std::uint64_t number, const nats::Message& message) {
  if (auto waiting = take(number)) waiting->callback(&message);
}

void Replies::expire(MonotonicTime now) {
  while (!by_deadline_.empty() && by_deadline_.begin()->first <= step_of(now)) {
    const auto numbers = std::move(by_deadline_.begin()->second);
    by_deadline_.erase(by_deadline_.begin());
    for (const std::uint64_t number : numbers) {
      if (auto waiting = take(number)) waiting->callback(fail(ErrorCode::kTimeout, "no answer"));
    }
  }
}

void Replies::fail_all(const Error& error) {
  by_deadline_.clear();
  for (auto& [number, waiting] : std::exchange(waiting_, {})) {
    waiting.callback(tl::unexpected(error));
  }
}

}  // namespace martlet::bus
