#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "service/run.h"

namespace martlet::service {

// Limits of the process shell, the same in every service.
inline constexpr std::uint64_t kWantedOpenFiles = 20'000;
inline constexpr std::uint64_t kMaxHttpConnections = 64;
inline constexpr std::uint64_t kMaxHttpHeaderBytes = 8 * 1024;
inline constexpr std::uint64_t kMaxHttpBodyBytes = 4 * 1024;
// For who listens to a stream and does not read.
inline constexpr std::uint64_t kMaxHttpUnsentBytes = 256 * 1024;
inline constexpr std::uint64_t kHttpIdleMs = 15'000;
inline constexpr std::uint64_t kHttpConnectionAgeMs = 120'000;
inline constexpr std::uint64_t kExitTimeoutS = 10;
inline constexpr std::uint64_t kKeptFreeBytes = 16 * 1024 * 1024;
inline constexpr std::uint64_t kOwnMappingBytes = 4 * 1024 * 1024;

static_assert(kMaxHttpConnections < kWantedOpenFiles / 10, "clients need the files more");
static_assert(kOwnMappingBytes < kKeptFreeBytes, "what is freed at once would not be kept");
static_assert(kHttpIdleMs < kHttpConnectionAgeMs);

std::vector<Limit> common_limits();

}  // namespace martlet::service
