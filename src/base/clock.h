#pragma once

#include <chrono>
#include <cstdint>

namespace martlet {

// Monotonic time: leases, windows, timeouts. Only differences mean anything.
struct MonotonicTag {};
using Duration = std::chrono::nanoseconds;
using MonotonicTime = std::chrono::time_point<MonotonicTag, Duration>;

// In whole milliseconds, as messages, settings and logs have times; what is less is cut off.
template <class Number = std::int64_t>
constexpr Number to_ms(Duration duration) {
  return static_cast<Number>(
      std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

// Milliseconds since 1970 UTC: token expiry and message times only.
using WallMs = std::uint64_t;
// The same in microseconds: what the flight recorder notes, for people to compare.
using WallUs = std::uint64_t;

// The only source of time. Shells pass the system's, tests and the simulation their own.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime now() const = 0;
  virtual WallMs wall_ms() const = 0;
  // As exact as the clock is.
  virtual WallUs wall_us() const { return wall_ms() * 1000; }
};

// The clocks of the operating system. Any thread.
class SystemClock final : public Clock {
 public:
  MonotonicTime now() const override;
  WallMs wall_ms() const override;
  WallUs wall_us() const override;
};

}  // namespace martlet
