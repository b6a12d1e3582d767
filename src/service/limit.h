#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace martlet::service {

// A constant of <service>/limits.h, for --describe; <service>/describe.cc lists them.
struct Limit {
  std::string name;  // kMaxUnanswered
  std::uint64_t value = 0;
  std::string unit;  // of times always ms
  std::string text;
};

constexpr std::uint64_t to_ms(Duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace martlet::service
