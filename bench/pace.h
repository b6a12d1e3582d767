#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace martlet::bench {

// Open loop: message n is due at begin + n / rate, however slowly those before it are answered. In
// bursts, all those of a second are due in its first part, and the rest of it is quiet.
class OpenSchedule {
 public:
  // rate: messages a second, more than 0. part: of each second, more than 0; 1: all the time.
  OpenSchedule(double rate, MonotonicTime begin, double part = 1)
      : rate_(rate), begin_(begin), part_(part) {}

  // When the next message was meant to be sent, if that is now or before. Each is given once;
  // whoever comes late gets all that are due, with their own times.
  std::optional<MonotonicTime> take(MonotonicTime now);

 private:
  double rate_;
  MonotonicTime begin_;
  double part_;
  std::uint64_t taken_ = 0;
};

}  // namespace martlet::bench
