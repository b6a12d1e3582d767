// The clocks of src/base/clock.cc, in virtual time.
#include "base/clock.h"

#include "sim/scheduler.h"

namespace martlet {

MonotonicTime SystemClock::now() const {
  return sim::Scheduler::get().now();
}

WallMs SystemClock::wall_ms() const {
  return sim::Scheduler::get().wall_ms();
}

WallUs SystemClock::wall_us() const {
  return wall_ms() * 1000;
}

}  // namespace martlet
