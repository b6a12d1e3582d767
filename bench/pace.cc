#include "bench/pace.h"

#include "base/assert.h"

namespace martlet::bench {

std::vector<std::size_t> windows(std::size_t in_flight, std::size_t senders) {
  MARTLET_ASSERT(senders > 0);
  std::vector<std::size_t> result(senders, in_flight / senders);
  for (std::size_t i = 0; i < in_flight % senders; ++i) ++result[i];
  return result;
}

std::optional<MonotonicTime> OpenSchedule::take(MonotonicTime now) {
  // Reckoned from the begin each time: nothing adds up.
  const std::chrono::duration<double> after(static_cast<double>(taken_) / rate_);
  const MonotonicTime due = begin_ + std::chrono::duration_cast<Duration>(after);
  if (due > now) return std::nullopt;
  ++taken_;
  return due;
}

}  // namespace martlet::bench
