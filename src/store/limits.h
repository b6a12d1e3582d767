#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "model/limits.h"
#include "wire/limits.h"

namespace martlet::store {

// What the body of an answer may hold: the envelope needs the rest.
inline constexpr std::size_t kMaxPageBytes = kMaxAnswerBytes - kMaxEnvelopeBytes;
static_assert(kMaxPageBytes < kMaxAnswerBytes);

// What a row adds at most to its content in a page: two users' names, a conversation's, numbers.
inline constexpr std::size_t kMaxRowOverheadBytes = 320 + wire::kMessageOverheadBytes;
// What a range (remaining, withheld) needs at most in a page.
inline constexpr std::size_t kMaxRangeBytes = 240;
// Messages of a page of FETCH that asked for the most ranges and met a hole at every second seq.
inline constexpr std::size_t kMinFetchBytes =
    kMaxPageBytes - (kMaxRangesPerFetch + kFetchPageMessages) * kMaxRangeBytes;
static_assert(kMinFetchBytes > 2 * kMaxBodyBytes);

// Conversations looked at for one page of SYNC; with messages for a device's first one.
inline constexpr std::size_t kSyncPageConversations = 800;
inline constexpr std::size_t kFirstSyncPageConversations = 60;
// Of a group so many of the newest messages are looked at for one that the user sent: what lies
// before that is read.
inline constexpr std::size_t kOwnLookBack = 50;
// The newest messages of one conversation in a first sync stop here; one is always sent.
inline constexpr std::size_t kFirstSyncConversationBytes = 64 * 1024;
static_assert(kFirstSyncConversationBytes + kMaxBodyBytes + 2 * kMaxRowOverheadBytes <
              kMaxPageBytes / 2);

// Conversations and messages looked up in one cold query.
inline constexpr std::size_t kMaxColdItems = 4096;

// All members of groups in the answer to one cold query; a first group is always answered.
inline constexpr std::size_t kMaxColdMembers = 50'000;
// What a head, a message or a user needs at most in a cold answer, members apart.
inline constexpr std::size_t kColdItemBytes = 64;

// Batches of several shards' logs in one transaction; more of one shard go without others. Once so
// much waits, a second transaction is begun beside one that is under way.
inline constexpr std::size_t kMaxTogetherBytes = 1U << 20;
static_assert(kMaxTogetherBytes > kMaxAppendBytes);
// From the begin of one transaction to that of the next, unless as much waits as it may hold. What
// comes after a longer silence does not wait.
inline constexpr Duration kApplyPause = std::chrono::milliseconds(5);

// Signed in at the same time; the one with the oldest login makes room for a new one.
inline constexpr std::size_t kMaxDevicesPerUser = 32;
// An expired refresh token is deleted so long afterwards, so many at a time.
inline constexpr WallMs kKeepExpiredTokensMs = 86'400'000;
inline constexpr std::size_t kMaxTokensForgotten = 10'000;
// Old rows of the audit log are deleted so many at a time.
inline constexpr std::size_t kMaxAuditForgotten = 10'000;

// A refresh token may be used again for so long after its use, if its successor was not.
inline constexpr WallMs kRefreshGraceMs = 60'000;

}  // namespace martlet::store
