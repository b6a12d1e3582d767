#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"

namespace martlet::bench {

// Every latency of a run, to the microsecond: percentiles are exact.
class Latencies {
 public:
  void add(Duration latency);
  std::size_t count() const { return micros_.size(); }
  // In milliseconds; share from 0 to 1: that share of all took so long or less. None: no latency.
  std::optional<double> percentile_ms(double share) const;

 private:
  mutable std::vector<std::uint32_t> micros_;  // put in order as percentiles are asked for
};

}  // namespace martlet::bench
