#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "model/limits.h"

namespace martlet::client {

// All limits and times of the client library.

// ---- sync
inline constexpr Duration kGapWait = std::chrono::milliseconds(300);  // before a gap is fetched
inline constexpr Duration kSecondSyncAfter = std::chrono::seconds(2);
// Shown, and told by no SYNC for so long, though each had all that was in the log.
inline constexpr Duration kVanishedAfter = std::chrono::seconds(5);
inline constexpr Duration kSyncRetryMin = std::chrono::milliseconds(500);
inline constexpr Duration kSyncRetryMax = std::chrono::seconds(15);
inline constexpr std::size_t kMaxWaitingEvents = 1'000;   // before the first sync
inline constexpr std::size_t kMaxAheadMessages = 10'000;  // received above a gap, all conversations
inline constexpr std::size_t kMaxUnsyncedMessages = 4'096;  // shown since the last sync: then sync
// A Range takes its conversation and so many bytes in a FETCH.
inline constexpr std::size_t kRangeOverheadBytes = 64;
inline constexpr std::size_t kMaxFetchBodyBytes = kMaxBodyBytes - 4 * 1024;

// ---- send
inline constexpr std::size_t kMaxQueuedSends = 100'000;
inline constexpr std::uint32_t kReservedRequests = 8;  // of max_unanswered, for all but SEND
inline constexpr std::uint32_t kDefaultWindow = 32;
inline constexpr std::size_t kMaxQueuedChanges = 1'000;  // of groups
inline constexpr std::size_t kMaxChangesOut = 2;         // of the reserved requests
inline constexpr Duration kAnswerDeadline = std::chrono::milliseconds(kAnswerDeadlineMs);
inline constexpr Duration kSendRetryMin = std::chrono::milliseconds(200);
inline constexpr Duration kSendRetryMax = std::chrono::seconds(5);
inline constexpr Duration kStoredRepeatMin = std::chrono::seconds(10);
inline constexpr Duration kStoredRepeatMax = std::chrono::seconds(60);

// ---- connection
inline constexpr Duration kConnectTimeout = std::chrono::seconds(5);
// AUTH asks nobody but the edge and the broker; an edge that takes longer is not well.
inline constexpr Duration kAuthDeadline = std::chrono::seconds(3);
// A session that an edge made of an AUTH that we gave up may replace ours for so long.
inline constexpr Duration kGivenUpAuthTime = std::chrono::minutes(2);
inline constexpr std::size_t kMaxGivenUpAuths = 8;
inline constexpr Duration kRequestDeadline = std::chrono::seconds(20);
static_assert(kRequestDeadline > std::chrono::milliseconds(kRpcTimeoutMs) + kConnectTimeout,
              "the edge gives up first and says so");

// For the api's answer which edge to use; without one the next of the list is tried.
inline constexpr Duration kRouteTimeout = std::chrono::seconds(2);
inline constexpr Duration kReconnectMin = std::chrono::milliseconds(200);
inline constexpr Duration kReconnectMax = std::chrono::seconds(15);
// After a connection that was signed in; while they end before kStableAfter, the waits grow to
// this.
inline constexpr Duration kReconnectMaxAfterSession = std::chrono::seconds(1);
inline constexpr Duration kStableAfter = std::chrono::seconds(5);
inline constexpr std::size_t kMaxFrameBytes = kMaxAnswerBytes + kMaxEnvelopeBytes;
inline constexpr std::size_t kMaxOutputBytes = 8 * 1024 * 1024;

// ---- file store: rewritten when it has grown to this and to four times what it needs
inline constexpr std::size_t kJournalRewriteBytes = 1024 * 1024;

}  // namespace martlet::client
