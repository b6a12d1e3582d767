#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "model/ids.h"
#include "model/limits.h"
#include "wire/limits.h"

// Every bound of a dispatcher. What an operator may change is in options.h and has its default
// here.
namespace martlet::dispatcher {

using namespace std::chrono_literals;

// ---- the duplicate window -----------------------------------------------------------------------
inline constexpr Duration kWindowTime = 30s;
// How far the clocks of edges and dispatchers may differ before a look-up is forced.
inline constexpr std::uint64_t kClockMarginMs = 2'000;
// A frame that an edge received longer ago is looked up whatever it says of itself. Edges give a
// frame up before.
inline constexpr std::uint64_t kRecentFrameMs = kAnswerDeadlineMs;
// Copies of one message that wait for the same append; later ones are repeated by their edge.
inline constexpr std::size_t kMaxAskersPerMessage = 16;
// Frames refused because of a change of a group that is not in the log yet; later ones are
// repeated.
inline constexpr std::size_t kMaxRefusedPerChange = 64;

// Messages of a shard that were refused for good lately: their copies find the same.
inline constexpr std::size_t kMaxRefusals = 4'096;
inline constexpr Duration kRefusalTime = std::chrono::seconds(30);
static_assert(kRefusalTime >= 2 * std::chrono::milliseconds(kAnswerDeadlineMs));

// ---- heads of conversations ---------------------------------------------------------------------
inline constexpr std::size_t kDefaultHeadsPerShard = 200'000;
// So many members of a group count like one more head.
inline constexpr std::size_t kMembersPerHead = 16;
// How many entries that may not be forgotten yet one eviction looks at.
inline constexpr int kMaxEvictionScan = 16;

// ---- frames that wait for the database ----------------------------------------------------------
inline constexpr std::size_t kDefaultParkedFrames = 1'000;  // a shard
inline constexpr std::size_t kMaxParkedFramesPerUser = 64;
inline constexpr std::size_t kMaxParkedBytes = 8U << 20;
inline constexpr Duration kParkingTime = 2s;
inline constexpr std::size_t kMaxColdItems = 256;  // of one question
inline constexpr Duration kColdTimeout = 1s;
inline constexpr Duration kColdRetryPause = 100ms;

// ---- messages to groups -------------------------------------------------------------------------
// Deliveries: one for each member. A sender may send to 5,000 members five times a second in the
// long run, to 50 as fast as an edge reads.
inline constexpr std::uint32_t kSenderDeliveriesPerSecond = 25'000;
inline constexpr std::uint32_t kGroupDeliveriesPerSecond = 100'000;
inline constexpr std::uint32_t kMostDeliveriesPerSecond = 1'000'000'000;
inline constexpr std::uint32_t kDeliveriesBurstSeconds = 4;  // so much at once after a rest
static_assert(std::uint64_t(kMostDeliveriesPerSecond) * kDeliveriesBurstSeconds <= UINT32_MAX);
inline constexpr std::size_t kMaxFanoutBuckets = 16 * 1024;  // groups, and senders in groups

// ---- frames that wait for their append ----------------------------------------------------------
inline constexpr std::size_t kDefaultQueuedEntries = 20'000;  // a shard
inline constexpr std::size_t kMaxQueuedBytes = 16U << 20;
inline constexpr Duration kAppendTimeout = 3s;
// What the stream adds to a batch on disk: header, subject, checksum.
inline constexpr std::size_t kRecordOverheadBytes = 256;

// ---- STORED -------------------------------------------------------------------------------------
inline constexpr std::size_t kMaxStoredWaits = 50'000;  // a shard

// ---- answers and events -------------------------------------------------------------------------
inline constexpr std::size_t kMaxAnswersPerPublish = 1'000;
inline constexpr std::uint32_t kBusyRetryMs = 500;
inline constexpr std::uint32_t kUnavailableRetryMs = 1'000;
inline constexpr std::uint32_t kOutOfOrderRetryMs = 50;
inline constexpr std::uint32_t kLogFullRetryMs = 2'000;

// ---- the log ------------------------------------------------------------------------------------
inline constexpr std::uint64_t kDefaultLogBytes = 256ULL << 20;  // a shard
inline constexpr std::uint64_t kMinLogBytes = 1ULL << 20;
inline constexpr std::uint64_t kMaxLogBytes = 4ULL << 30;

// ---- take-over ----------------------------------------------------------------------------------
inline constexpr std::size_t kMaxBufferedFrames = 10'000;
inline constexpr std::size_t kMaxBufferedBytes = 16U << 20;
inline constexpr std::size_t kMaxRepublishedEntries = 10'000;
inline constexpr std::size_t kMaxRepublishedBytes = 16U << 20;
inline constexpr std::size_t kMaxResyncHints = 50'000;
// Conversations a shard whose live events found no room; with more, everyone is told to sync.
inline constexpr std::size_t kMaxOwedResyncs = 1'000;
inline constexpr std::uint32_t kResyncWithinMs = 10'000;
inline constexpr std::size_t kReadBytes = 1U << 20;  // of one request of the log
inline constexpr Duration kTakeOverPause = 200ms;    // before a step is tried again
inline constexpr Duration kMaxTakeOverPause = 2s;
inline constexpr int kMaxTakeOverTries = 60;  // of one step; then the lease is read again
inline constexpr Duration kStepTimeout = 2s;

// ---- rhythm -------------------------------------------------------------------------------------
inline constexpr Duration kTickPeriod = 50ms;
inline constexpr Duration kAnnouncePeriod = 1s;
inline constexpr Duration kInfoPeriod = 2s;
inline constexpr Duration kInfoPeriodWhenFull = 500ms;
inline constexpr Duration kPublishedPeriod = 500ms;
inline constexpr std::size_t kRepublishedPerTick = 500;

static_assert(wire::kBatchOverheadBytes + wire::kEntryOverheadBytes + 5 * kMaxIdBytes +
                      kMaxBodyBytes <
                  kMaxAppendBytes,
              "one entry fits into one batch");
static_assert(kMaxParkedBytes >= 4 * kMaxBodyBytes && kMaxQueuedBytes >= 4 * kMaxBodyBytes);
static_assert(kAppendTimeout + kParkingTime < std::chrono::milliseconds(kAnswerDeadlineMs));
static_assert(kColdTimeout < kParkingTime && kParkingTime < kWindowTime);
static_assert(kMaxUsersPerChange + 1 <= kMaxColdItems, "one change's users fit into one question");
static_assert(kReadBytes > kMaxAppendBytes);

}  // namespace martlet::dispatcher
