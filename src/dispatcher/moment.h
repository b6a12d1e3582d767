#pragma once

#include "base/clock.h"

namespace martlet::dispatcher {

// When an input of a core happens. The cores have no clocks of their own.
struct Moment {
  MonotonicTime now;
  WallMs wall_ms = 0;
  // Age of our lease's last renewal (bus::Leases::renewal_age).
  Duration renewal_age{0};
};

}  // namespace martlet::dispatcher
