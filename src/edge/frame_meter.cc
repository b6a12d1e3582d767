#include "edge/frame_meter.h"

namespace martlet::edge {
namespace {

double cost_of(std::size_t body_bytes) {
  return 1 + double(body_bytes / kBytesPerFrameToken);
}

}  // namespace

FrameMeter::Verdict FrameMeter::take(const UserId& user, std::size_t body_bytes, UserMeter& users,
                                     MonotonicTime now) {
  const bool is_stranger = user.empty();
  const Rate& rate = is_stranger ? rates_.stranger : rates_.connection;
  TokenBucket& own = is_stranger ? stranger_ : connection_;
  if (rate.is_limited()) {
    const Duration wait = own.wait(now);
    const auto by = is_stranger ? ThrottledBy::kStranger : ThrottledBy::kConnection;
    if (wait > Duration(0)) return {wait, by};
  }
  const double cost = cost_of(body_bytes);
  TokenBucket* shared = is_stranger ? nullptr : users.of(user, now);
  if (shared != nullptr) {
    const Duration wait = shared->wait(now);
    if (wait > Duration(0)) return {wait, ThrottledBy::kUser};
    shared->charge(cost, now);
  }
  if (rate.is_limited()) own.charge(cost, now);
  return {};
}

}  // namespace martlet::edge
