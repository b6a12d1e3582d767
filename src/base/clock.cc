#include "base/clock.h"

namespace martlet {

MonotonicTime SystemClock::now() const {
  return MonotonicTime(std::chrono::steady_clock::now().time_since_epoch());
}

WallMs SystemClock::wall_ms() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<WallMs>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

WallUs SystemClock::wall_us() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<WallUs>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

}  // namespace martlet
