#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace martlet {

// So many in the long run, and so many at once after a rest. 0: no limit.
struct Rate {
  std::uint32_t count = 0;
  std::uint32_t burst = 0;
  Duration period = std::chrono::seconds(1);

  bool is_limited() const { return count > 0; }
  double per_second() const { return count / std::chrono::duration<double>(period).count(); }
};

// So many per second, and what is put in besides, up to a limit. Pure.
class TokenBucket {
 public:
  TokenBucket(double per_second, double limit, MonotonicTime now)
      : per_second_(per_second), limit_(limit), tokens_(limit), filled_(now) {}
  TokenBucket(const Rate& rate, MonotonicTime now)
      : TokenBucket(rate.per_second(), rate.burst, now) {}

  void add(double tokens) { tokens_ = std::min(limit_, tokens_ + tokens); }
  bool take(MonotonicTime now) {
    fill(now);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

  // Takes more than there is as well: the debt is paid off before wait() is zero again.
  void charge(double tokens, MonotonicTime now) {
    fill(now);
    tokens_ -= tokens;
  }
  // Until there is a token; zero: there is one. For buckets that fill by themselves.
  Duration wait(MonotonicTime now) {
    fill(now);
    if (tokens_ >= 1) return Duration(0);
    const std::chrono::duration<double> exact((1 - tokens_) / per_second_);
    return std::chrono::ceil<Duration>(exact);
  }
  // As good as a new one.
  bool is_full(MonotonicTime now) {
    fill(now);
    return tokens_ >= limit_;
  }

 private:
  void fill(MonotonicTime now) {
    add(std::chrono::duration<double>(now - filled_).count() * per_second_);
    filled_ = now;
  }

  double per_second_;
  double limit_;
  double tokens_;
  MonotonicTime filled_;
};

}  // namespace martlet
