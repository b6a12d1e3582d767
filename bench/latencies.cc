#include "bench/latencies.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"

namespace martlet::bench {

void Latencies::add(Duration latency) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(latency).count();
  micros_.push_back(static_cast<std::uint32_t>(std::clamp<std::int64_t>(micros, 0, UINT32_MAX)));
}

std::optional<double> Latencies::percentile_ms(double share) const {
  MARTLET_ASSERT(share >= 0 && share <= 1);
  if (micros_.empty()) return std::nullopt;
  const double rank = std::ceil(share * static_cast<double>(micros_.size()));
  const auto at = static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(micros_.begin(), micros_.begin() + at, micros_.end());
  return micros_[static_cast<std::size_t>(at)] / 1000.0;
}

}  // namespace martlet::bench
