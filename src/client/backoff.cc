#include "client/backoff.h"

#include <algorithm>

namespace martlet::client {

Duration Backoff::next(Random& random) {
  const Duration wait = random.jitter(next_, 0.5);
  next_ = std::min(most_, next_ * 2);
  return wait;
}

}  // namespace martlet::client
