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

}  // namespace martlet::service
