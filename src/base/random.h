#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"

namespace martlet {

// The only source of randomness. Not thread-safe: one a thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;

  // 0 <= result < bound; bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // Anything from 1 - fraction to 1 + fraction times the duration.
  Duration jitter(Duration duration, double fraction);
  Bytes bytes(std::size_t size);
};

// From the kernel (getrandom): good enough for secrets.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;
};

// Repeatable, for tests and simulation (splitmix64). Never for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;

 private:
  std::uint64_t state_;
};

}  // namespace martlet
