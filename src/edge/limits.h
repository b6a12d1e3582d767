#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "model/limits.h"
#include "wire/limits.h"

namespace martlet::edge {

// What an edge takes at most, and its defaults. docs/operations.md lists them.

// Requests of one connection that wait for an answer; at the limit its socket is not read.
inline constexpr std::size_t kMaxUnansweredPerConnection = 64;
// SYNC, FETCH and HISTORY among them: every answer may be a page.
inline constexpr std::size_t kMaxReadsPerConnection = 4;
inline constexpr std::size_t kMaxJsonReadsPerConnection = 1;

// Frames a second. A person's client sends a few, one that catches up some hundred at once; beyond
// the rate the socket is not read until there is credit again. One more token for each begun 4 KiB.
inline constexpr std::uint32_t kFramesPerSecond = 500;
inline constexpr std::uint32_t kFramesBurst = 1'000;
inline constexpr std::uint32_t kUserFramesPerSecond = 1'000;  // all connections of a user
inline constexpr std::uint32_t kUserFramesBurst = 2'000;
inline constexpr std::uint32_t kStrangerFramesPerSecond = 20;  // before AUTH
inline constexpr std::uint32_t kStrangerFramesBurst = 50;
inline constexpr std::size_t kBytesPerFrameToken = 4096;
inline constexpr std::size_t kNamesPerFrameToken = 4;  // in a change of a group
inline constexpr std::size_t kMaxUserBuckets = 64 * 1024;
inline constexpr Duration kThrottleTick = std::chrono::milliseconds(100);

// Messages of one session that count as followed since their sender asks for it; more are messages
// like others.
inline constexpr int kFlaggedPerSecond = 10;
inline constexpr int kFlaggedBurst = 100;
// Of all others, in a thousand.
inline constexpr std::uint32_t kTracePermille = 10;

// Strangers: connections that have not authenticated. A new one takes the place of the oldest idle.
inline constexpr std::size_t kMaxStrangers = 2'000;
inline constexpr std::size_t kMaxStrangersPerAddress = 1'000;
// What one of them can make the edge hold: a body, and what was read behind it.
inline constexpr std::size_t kMaxBodyBeforeAuth = 8 * 1024;
inline constexpr std::size_t kMaxReadBeforeAuth = 4 * 1024;
// What stands between the edge and clients and says for whom it connects: connections of which it
// has not said so yet, and how long it may take.
inline constexpr std::size_t kMaxProxyHeadersWaiting = 2'000;
inline constexpr Duration kProxyHeaderTime = std::chrono::seconds(5);
inline constexpr std::size_t kMaxProxyRanges = 64;
// Tokens that are not good, before the connection is closed: checking one takes 0.1 ms.
inline constexpr std::size_t kMaxBadTokens = 16;

// By address: generous, since a campus may have one address. Passwords cost the most: persist
// checks some 30 a second, and one address must not take them all for long.
inline constexpr std::size_t kMaxConnectionsPerAddress = 5'000;
inline constexpr std::uint32_t kAddressConnectsPerSecond = 100;
inline constexpr std::uint32_t kAddressConnectsBurst = 5'000;
inline constexpr std::uint32_t kAddressLoginsPerSecond = 10;
inline constexpr std::uint32_t kAddressLoginsBurst = 500;
inline constexpr std::uint32_t kWrongPasswordsPerMinute = 10;  // for one user from one address
inline constexpr std::uint32_t kWrongPasswordsBurst = 10;
inline constexpr std::size_t kMaxAddressBuckets = 16 * 1024;  // of each kind

// Frames to one shard that wait for an answer, of all connections; at the limit the sockets that
// want to send to it are not read.
inline constexpr std::size_t kMaxUnansweredPerShard = 4096;
inline constexpr std::size_t kMaxUnansweredBytesPerShard = 16 * 1024 * 1024;

// A frame without an answer is refused as retryable after this time, well before the client's
// deadline.
inline constexpr std::uint32_t kFrameTimeoutMs = 12'000;
static_assert(kFrameTimeoutMs + 2'000 <= kAnswerDeadlineMs);
static_assert(kRpcTimeoutMs < kFrameTimeoutMs);

// How long AUTH waits to hear whether the device was signed out.
inline constexpr std::uint32_t kDeviceCheckMs = 1'000;

// Requests to persist under way, of all connections.
inline constexpr std::size_t kMaxRpcsUnderWay = 4096;

// Groups. Questions to persist about membership: under way, and behind them (the edge's users and
// groups have one each at most).
inline constexpr std::size_t kMaxGroupQuestions = 256;
inline constexpr std::size_t kMaxGroupQuestionsWaiting = 4 * 20'000;
inline constexpr std::uint32_t kGroupQuestionTimeoutMs = 5'000;
// How long a SYNC waits until the edge listens to the user's groups; then it is refused as
// retryable, before whoever asked gives up.
inline constexpr std::uint32_t kGroupsWaitMs = 4'000;
static_assert(kGroupsWaitMs + kRpcTimeoutMs < kAnswerDeadlineMs);
// TYPING of a session goes on once in this time for each of so many conversations.
inline constexpr std::uint32_t kTypingPeriodMs = 3'000;
inline constexpr std::size_t kMaxTypingConversations = 16;

// The output queue of one connection. Above the high mark no live event enters it and the socket is
// not read; what was asked for before still must fit.
inline constexpr std::size_t kOutputHighMarkBytes = 256 * 1024;
inline constexpr std::size_t kOutputLowMarkBytes = 64 * 1024;
inline constexpr std::size_t kOutputHardLimitBytes = 5 * 1024 * 1024;
inline constexpr std::size_t kMaxSmallAnswerBytes = 2 * 1024;
static_assert(kOutputHighMarkBytes + kMaxReadsPerConnection * kMaxAnswerBytes +
                  kMaxUnansweredPerConnection * kMaxSmallAnswerBytes <
              kOutputHardLimitBytes);
static_assert(kOutputHighMarkBytes + kMaxJsonReadsPerConnection * wire::kMaxJsonAnswerBytes +
                  kMaxUnansweredPerConnection * kMaxSmallAnswerBytes <
              kOutputHardLimitBytes);

// What the kernel takes besides, for a client that does not read.
inline constexpr int kMaxUnsentBytes = 128 * 1024;

inline constexpr std::size_t kMaxReadPerTurnBytes = 32 * 1024;
// With what a session begins with they take some 2 ms.
inline constexpr std::size_t kMaxTokenChecksPerTurn = 16;
inline constexpr std::size_t kMaxConnections = 20'000;
inline constexpr std::size_t kMaxAccessTokenBytes = 4 * 1024;
// An AUTH as JSON, every character of the client's name escaped.
static_assert(kMaxAccessTokenBytes + 6 * wire::kMaxLabelBytes + 256 <= kMaxBodyBeforeAuth);

// Deadlines of sessions. What is overdue is found a tick of the wheel and one of the edge later at
// most, so that a silent session ends within a second of its deadline. Delays longer than a round
// of the wheel are looked at once a round; the longest usual one is an access token's hour.
inline constexpr Duration kTick = std::chrono::milliseconds(100);
inline constexpr Duration kWheelTick = std::chrono::milliseconds(500);
inline constexpr std::size_t kWheelSlots = 8192;
static_assert(kWheelTick + 2 * kTick < std::chrono::seconds(1));
static_assert(kWheelTick * kWheelSlots > std::chrono::hours(1));

// An edge whose loop did not turn for so long reads what the broker has for it before it publishes
// anything for its clients. What it asks stands behind all that; longer than a frame waits it need
// not wait.
inline constexpr Duration kStandstill = std::chrono::milliseconds(500);
inline constexpr Duration kCatchUpTime = std::chrono::milliseconds(kFrameTimeoutMs);
static_assert(kStandstill > 2 * kTick);

// Between two looks at the directory of public keys.
inline constexpr Duration kKeyLookPeriod = std::chrono::seconds(2);

// How long a closing connection may take to take its last words; when the edge stops, less.
inline constexpr std::uint32_t kCloseDeadlineMs = 2'000;
inline constexpr std::uint32_t kStopCloseDeadlineMs = 500;

// A stop, one part after the other: what stands before the edge notices; the api is asked where the
// clients go; they are told over a window, and the last ones may go a moment after it; what is open
// is answered; connections take their last words. With a short stop_timeout_ms each part has its
// share of that, in hundredths, and the whole is over in time.
inline constexpr Duration kMovesTimeout = std::chrono::milliseconds(500);
inline constexpr Duration kDrainGrace = std::chrono::seconds(1);
inline constexpr Duration kSettleTime = std::chrono::seconds(2);
inline constexpr int kStopDelayShare = 10;
inline constexpr int kStopAskShare = 5;
inline constexpr int kStopWindowShare = 40;
inline constexpr int kStopGraceShare = 10;
inline constexpr int kStopSettleShare = 15;
inline constexpr int kStopCloseShare = 10;  // and half of it again until all are gone
static_assert(kStopDelayShare + kStopAskShare + kStopWindowShare + kStopGraceShare +
                  kStopSettleShare + kStopCloseShare * 3 / 2 <
              100);
// Sessions that are told to go elsewhere: so many a second need no window.
inline constexpr std::int64_t kMovesPerSecond = 50;
// An edge asks whether it has more than its share when its sessions have not grown by more than
// this part for so long: longer than the beat of another edge is old.
inline constexpr Duration kSteadyTime = std::chrono::seconds(2);
inline constexpr double kSteadyGrowth = 0.05;
// Between two rebalancings that came to nothing lies twice the time, and so on, so many times.
inline constexpr unsigned kMostDoublings = 5;

// Clients that are told to sync spread over this time.
inline constexpr std::uint32_t kSpreadMs = 10'000;
// So many of one group, or fewer, over this time.
inline constexpr std::size_t kFewHints = 100;
inline constexpr std::uint32_t kShortSpreadMs = 1'000;

}  // namespace martlet::edge
