#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace martlet::bench {

// Open loop: message n is due at begin + n / rate, however slowly those before it are answered.
class OpenSchedule {
 public:
  // rate: messages a second, more than 0.
  OpenSchedule(double rate, MonotonicTime begin) : rate_(rate), begin_(begin) {}

  // When the next message was meant to be sent, if that is now or before. Each is given once;
  // whoever comes late gets all that are due, with their own times.
  std::optional<MonotonicTime> take(MonotonicTime now);

 private:
  double rate_;
  MonotonicTime begin_;
  std::uint64_t taken_ = 0;
};

}  // namespace martlet::bench
