#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace martlet::edge {

// So many per second, and what is put in besides, up to a limit. Pure.
class TokenBucket {
 public:
  TokenBucket(double per_second, double limit, MonotonicTime now)
      : per_second_(per_second), limit_(limit), tokens_(limit), filled_(now) {}

  void add(double tokens) { tokens_ = std::min(limit_, tokens_ + tokens); }
  bool take(MonotonicTime now) {
    add(std::chrono::duration<double>(now - filled_).count() * per_second_);
    filled_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double per_second_;
  double limit_;
  double tokens_;
  MonotonicTime filled_;
};

}  // namespace martlet::edge
