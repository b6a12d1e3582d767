#include "client/reconnect_pace.h"

#include <utility>

namespace martlet::client {

Duration ReconnectPace::next(Random& random, MonotonicTime now) {
  const auto signed_in_at = std::exchange(signed_in_at_, std::nullopt);
  if (!signed_in_at) return after_failure_.next(random);
  after_failure_.reset();
  if (now - *signed_in_at >= kStableAfter) after_session_.reset();
  return after_session_.next(random);
}

}  // namespace martlet::client
