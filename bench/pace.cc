#include "bench/pace.h"

#include <cmath>

namespace martlet::bench {

std::optional<MonotonicTime> OpenSchedule::take(MonotonicTime now) {
  // Reckoned from the begin each time: nothing adds up.
  const double evenly_s = static_cast<double>(taken_) / rate_;
  const double second = std::floor(evenly_s);
  const std::chrono::duration<double> after(second + part_ * (evenly_s - second));
  const MonotonicTime due = begin_ + std::chrono::duration_cast<Duration>(after);
  if (due > now) return std::nullopt;
  ++taken_;
  return due;
}

}  // namespace martlet::bench
