#pragma once

#include <sys/time.h>

#include "base/clock.h"

namespace martlet::event {

// As libevent wants it.
inline timeval to_timeval(Duration duration) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return {static_cast<time_t>(us / 1'000'000), static_cast<suseconds_t>(us % 1'000'000)};
}

}  // namespace martlet::event
