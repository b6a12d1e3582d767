#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

// age_ms of requests that are repeated; for the .cc files of wire/ only.
namespace martlet::wire {

inline constexpr std::uint32_t kUnknownAge = UINT32_MAX;

inline std::uint32_t to_age_ms(const std::optional<Duration>& age) {
  if (!age.has_value()) return kUnknownAge;
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(to_ms(*age), 0, kUnknownAge - 1));
}

inline std::optional<Duration> age_of(std::uint32_t age_ms) {
  if (age_ms == kUnknownAge) return std::nullopt;
  return std::chrono::milliseconds(age_ms);
}

}  // namespace martlet::wire
