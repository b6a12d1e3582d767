#pragma once

#include "base/clock.h"
#include "base/random.h"

namespace martlet::client {

// Growing waits between attempts: each about twice as long as the one before, half to one and a
// half times of it at random, so that many clients do not come back together.
class Backoff {
 public:
  Backoff(Duration first, Duration most) : first_(first), most_(most), next_(first) {}

  Duration next(Random& random);
  void reset() { next_ = first_; }

 private:
  Duration first_;
  Duration most_;
  Duration next_;
};

}  // namespace martlet::client
