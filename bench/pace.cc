#include "bench/pace.h"

namespace martlet::bench {

std::optional<MonotonicTime> OpenSchedule::take(MonotonicTime now) {
  // Reckoned from the begin each time: nothing adds up.
  const std::chrono::duration<double> after(static_cast<double>(taken_) / rate_);
  const MonotonicTime due = begin_ + std::chrono::duration_cast<Duration>(after);
  if (due > now) return std::nullopt;
  ++taken_;
  return due;
}

}  // namespace martlet::bench
