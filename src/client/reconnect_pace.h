#pragma once

#include <optional>

#include "base/clock.h"
#include "base/random.h"
#include "client/backoff.h"
#include "client/limits.h"

namespace martlet::client {

// How long to wait before the next connection. Attempts that never got as far as AUTH wait longer
// each time: whatever is ill should not be pressed. After a connection that was signed in the next
// one comes soon, on another edge, whatever came before; if such connections keep ending at once
// the waits grow too, but only a little, since somebody's messages wait for their acknowledgement.
class ReconnectPace {
 public:
  void signed_in(MonotonicTime now) { signed_in_at_ = now; }
  // The connection, or the attempt, is over.
  Duration next(Random& random, MonotonicTime now);

 private:
  std::optional<MonotonicTime> signed_in_at_;  // of the present connection
  Backoff after_failure_{kReconnectMin, kReconnectMax};
  Backoff after_session_{kReconnectMin, kReconnectMaxAfterSession};
};

}  // namespace martlet::client
