#include "persist/hash_pool.h"

#include <algorithm>
#include <vector>

#include "persist/limits.h"

namespace martlet::persist {

HashPool::HashPool(event::Loop& loop, PersistMetrics& metrics, const HashQueue::Limits& limits)
    : loop_(loop),
      metrics_(metrics),
      queue_(limits),
      workers_(loop, limits.threads, [this] { return next(); }) {}

bool HashPool::enqueue(HashQueue::Job job, MonotonicTime wanted_until) {
  const bool fits =
      workers_.locked([&] { return queue_.push(std::move(job), wanted_until, loop_.now()); });
  fits ? workers_.wake() : metrics_.hash_ended(HashEnd::kRefused);
  return fits;
}

void HashPool::tick() {
  const std::vector<HashQueue::Job> late = workers_.locked([this] {
    metrics_.hashes_waiting(queue_.size());
    return queue_.take_late(loop_.now());
  });
  for (const HashQueue::Job& job : late) {
    metrics_.hash_ended(HashEnd::kDropped);
    job.too_late();
  }
}

bool HashPool::is_wanted(MonotonicTime wanted_until) {
  const bool wanted = loop_.now() < wanted_until;
  metrics_.hash_ended(wanted ? HashEnd::kDone : HashEnd::kUseless);
  return wanted;
}

Error HashPool::busy() const {
  const Duration wait = workers_.locked([this] { return queue_.expected_wait(); });
  const auto retry_ms = std::clamp<std::int64_t>(to_ms(wait), kBusyRetryMs, kMaxHashRetryMs);
  return {ErrorCode::kBusy, "too many passwords wait to be checked",
          static_cast<std::uint32_t>(retry_ms)};
}

event::Workers::Job HashPool::next() {
  const SystemClock clock;
  auto job = queue_.pop(clock.now());
  if (!job) return {};
  return [this, job = std::move(*job)](std::size_t) {
    const SystemClock clock;
    const MonotonicTime started = clock.now();
    job.work();
    const Duration took = clock.now() - started;
    workers_.locked([&] { queue_.finished(took); });
  };
}

}  // namespace martlet::persist
