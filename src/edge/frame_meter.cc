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
  TokenBucket* shared = is_stranger ? nullptr : users.of(user, now);
  if (shared != nullptr) {
    const Duration wait = shared->wait(now);
    if (wait > Duration(0)) return {wait, ThrottledBy::kUser};
  }
  charge(user, cost_of(body_bytes), users, now);
  return {};
}

void FrameMeter::charge(const UserId& user, double frames, UserMeter& users, MonotonicTime now) {
  const bool is_stranger = user.empty();
  TokenBucket* shared = is_stranger ? nullptr : users.of(user, now);
  if (shared != nullptr) shared->charge(frames, now);
  const Rate& rate = is_stranger ? rates_.stranger : rates_.connection;
  if (rate.is_limited()) (is_stranger ? stranger_ : connection_).charge(frames, now);
}

}  // namespace martlet::edge
