#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/recent_buckets.h"
#include "base/token_bucket.h"
#include "edge/limits.h"
#include "model/ids.h"

namespace martlet::edge {

// How many frames may come a second. A long one counts as several.
struct FrameRates {
  Rate stranger{kStrangerFramesPerSecond, kStrangerFramesBurst};  // a connection before AUTH
  Rate connection{kFramesPerSecond, kFramesBurst};
  Rate user{kUserFramesPerSecond, kUserFramesBurst};  // all of their connections to this edge
};

// Which rate a frame has to wait for.
enum class ThrottledBy : std::uint8_t { kStranger, kConnection, kUser };

// The users' side of it, shared by all connections of an edge. Pure.
class UserMeter {
 public:
  explicit UserMeter(const Rate& rate) : rate_(rate), buckets_(rate, kMaxUserBuckets) {}

  // nullptr: there is no limit. Good until the next call.
  TokenBucket* of(const UserId& user, MonotonicTime now) {
    return rate_.is_limited() ? &buckets_.of(user, now) : nullptr;
  }

 private:
  const Rate rate_;
  RecentBuckets<UserId> buckets_;
};

// One connection's side of it. Pure.
class FrameMeter {
 public:
  struct Verdict {
    Duration wait{};  // zero: the frame may go on, and is paid for
    ThrottledBy by = ThrottledBy::kConnection;
  };

  FrameMeter(const FrameRates& rates, MonotonicTime now)
      : rates_(rates), stranger_(rates.stranger, now), connection_(rates.connection, now) {}

  // No user: a stranger.
  Verdict take(const UserId& user, std::size_t body_bytes, UserMeter& users, MonotonicTime now);
  // A frame that was taken cost so many more; the next one waits for it.
  void charge(const UserId& user, double frames, UserMeter& users, MonotonicTime now);

 private:
  const FrameRates& rates_;
  TokenBucket stranger_;
  TokenBucket connection_;
};

}  // namespace martlet::edge
