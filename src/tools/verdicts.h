#pragma once

#include <string>

#include "base/finding.h"
#include "tools/cluster_status.h"

// What `martlet doctor` makes of what an api tells. Pure: no I/O, no clock.
namespace martlet::tools {

// A dispatcher gives a message's time a margin of 2 s (docs/protocol.md, age_ms): clocks that lie
// further apart cost look-ups in the database, and times of messages are wrong.
inline constexpr std::uint64_t kClockFailMs = 2'000;
inline constexpr std::uint64_t kClockWarnMs = 500;
// What waits so long for the database: persist takes milliseconds.
inline constexpr double kUnstoredWarnS = 3;
inline constexpr double kUnstoredFailS = 10;
// A loop that is so late makes everybody wait.
inline constexpr double kLoopLagWarnS = 0.5;
// Of descriptors, connections, a log, memory: full, or nearly so.
inline constexpr double kFullWarn = 0.8;
inline constexpr double kFullFail = 0.95;
// Days that a certificate is good.
inline constexpr std::int64_t kCertificateWarnDays = 14;

Findings judge_services(const ClusterStatus& status);
Findings judge_shards(const ClusterStatus& status);

// Of this machine. asked_ms, answered_ms: our clock before and after the api was asked.
struct LocalFacts {
  WallMs asked_ms = 0;
  WallMs answered_ms = 0;
  std::uint64_t open_files = 0;  // of all processes
  std::uint64_t max_files = 0;   // fs.file-max; 0: not known
  std::uint64_t memory_kib = 0;
  std::uint64_t available_kib = 0;  // MemAvailable
};
Findings judge_here(const ClusterStatus& status, const LocalFacts& facts);

}  // namespace martlet::tools
