#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "bus/leases.h"
#include "model/limits.h"

// Every bound of a persist. What an operator may change is in options.h and has its default here.
namespace martlet::persist {

using namespace std::chrono_literals;

// ---- following a log ----------------------------------------------------------------------------
inline constexpr std::size_t kFetchBytes = 4U << 20;  // of one request of the log
inline constexpr Duration kFetchWait = 5s;            // an empty answer after that
inline constexpr Duration kMinBackoff = 100ms;
inline constexpr Duration kMaxBackoff = 5s;
inline constexpr Duration kAnnouncePeriod = 1s;  // watermarks, also without a change
inline constexpr Duration kInfoTimeout = 2s;
// The log's end is asked twice, so far apart, before it counts as lost: replicas may be behind.
inline constexpr Duration kTailConfirmation = 500ms;

// ---- purge --------------------------------------------------------------------------------------
inline constexpr Duration kDefaultKeep = 30s;  // of what is stored stays in the log
inline constexpr Duration kPurgePeriod = 10s;

// ---- the barrier --------------------------------------------------------------------------------
inline constexpr Duration kLookUpPeriod = 20ms;      // of the logs' ends, at most; see Barrier
inline constexpr Duration kDefaultBarrierWait = 2s;  // then the answer says `behind`
inline constexpr std::size_t kDefaultMaxWaiting = 10'000;
inline constexpr std::uint32_t kAgainInMs = 1'000;
inline constexpr std::uint32_t kBusyRetryMs = 1'000;

// ---- cold questions -----------------------------------------------------------------------------
inline constexpr std::size_t kMaxColdQuestions = 1'000;  // waiting
inline constexpr std::size_t kMaxItemsPerQuestion = 1'024;
inline constexpr std::size_t kMaxColdQueries = 2;  // under way at the database
inline constexpr Duration kColdWait = 800ms;       // for the watermark that a question names
inline constexpr Duration kColdPause = 50ms;

// ---- accounts -----------------------------------------------------------------------------------
inline constexpr std::size_t kDefaultHashThreads = 2;
inline constexpr std::size_t kDefaultHashQueue = 64;      // hashes waiting for a thread
inline constexpr Duration kDefaultHashWait = 5s;          // of each for a thread
inline constexpr std::uint32_t kMaxHashRetryMs = 10'000;  // told to those that are refused
inline constexpr Duration kAccessTokenLife = 1h;
inline constexpr Duration kDefaultAuditKeep = 8760h;  // a year
inline constexpr Duration kOutsideLoginLife = std::chrono::hours(24);
inline constexpr Duration kRefreshTokenLife = 720h;  // 30 days
inline constexpr Duration kForgetPeriod = 10min;     // of deleting what is kept no longer

// ---- the database -------------------------------------------------------------------------------
inline constexpr std::size_t kDefaultWriters = 4;
inline constexpr std::size_t kDefaultReaders = 4;
inline constexpr std::size_t kDatabaseQueue = 2'000;

inline constexpr Duration kTickPeriod = 10ms;

static_assert(kFetchBytes > kMaxAppendBytes, "a fetch holds at least one batch");
static_assert(kDefaultBarrierWait < std::chrono::milliseconds(kAnswerDeadlineMs) / 2);
static_assert(kMinBackoff < kMaxBackoff);
static_assert(kDefaultHashWait + 3s < std::chrono::milliseconds(kRpcTimeoutMs),
              "whose turn comes late is told before the edge gives up");
static_assert(kDefaultKeep > bus::kHeartbeatDead, "a successor must find what was not seen live");

}  // namespace martlet::persist
