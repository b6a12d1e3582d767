#pragma once

#include <cstddef>
#include <cstdint>

#include "model/ids.h"

namespace martlet {

// Limits that several parts must agree on. Each service has its own in <service>/limits.h.

inline constexpr std::size_t kFrameHeaderBytes = 16;
inline constexpr std::size_t kMaxBodyBytes = 64 * 1024;     // of a client's frame, decompressed
inline constexpr std::size_t kMaxAppendBytes = 256 * 1024;  // one batch of the log
inline constexpr std::size_t kMaxAnswerBytes = 512 * 1024;  // one RPC answer, one page
inline constexpr std::size_t kMinServerPayloadBytes = 1024 * 1024;  // the broker's max_payload

// What the envelope, the entry and the event add to a body: two conversations of two ids, ids,
// numbers.
inline constexpr std::size_t kMaxEnvelopeBytes = 4 * 1024;

static_assert(kMaxBodyBytes + kMaxEnvelopeBytes < kMaxAppendBytes);
static_assert(kMaxAppendBytes < kMaxAnswerBytes);
static_assert(kMaxAnswerBytes + kMaxEnvelopeBytes < kMinServerPayloadBytes);

// A sync token is a byte and a vector of shards, 12 bytes each; between two pages a client sends,
// beside it, a cursor of 10 bytes and two such vectors. persist makes them, edges must let them
// pass.
inline constexpr std::size_t kSyncVectorBytesPerShard = 12;
inline constexpr std::size_t kMaxSyncTokenBytes = 1 + kSyncVectorBytesPerShard * kMaxShards;
inline constexpr std::size_t kMaxSyncCursorBytes = 10 + 2 * kSyncVectorBytesPerShard * kMaxShards;

inline constexpr std::size_t kMaxRangesPerFetch = 1000;
inline constexpr std::size_t kFetchPageMessages = 200;
inline constexpr std::size_t kHistoryPageMessages = 50;
inline constexpr std::size_t kMaxHistoryPageMessages = 200;
inline constexpr std::size_t kFirstSyncMessages = 20;  // newest ones of each conversation

// Groups. All members of one travel in one RPC answer; a change of many names is one message.
inline constexpr std::size_t kMaxGroupMembers = 5000;
inline constexpr std::size_t kMaxUsersPerChange = 100;
inline constexpr std::size_t kMaxGroupsPerUser = 2000;
// How often a user may come into one group: each stay has its row and its span for ever.
inline constexpr std::size_t kMaxStaysPerMember = 1000;
inline constexpr std::size_t kMaxTitleBytes = 256;
inline constexpr std::size_t kGroupPageMembers = 200;
inline constexpr std::size_t kMaxGroupPageMembers = 1000;
inline constexpr std::size_t kGroupPageGroups = 200;
// A member in an RPC answer: an id of 64 characters and what FlatBuffers put around it.
inline constexpr std::size_t kMemberBytes = 96;
static_assert(kMaxGroupMembers * kMemberBytes + kMaxEnvelopeBytes < kMaxAnswerBytes);
// Members of a group whom one question of an edge names, and what each is in the answer: two names.
inline constexpr std::size_t kMaxUsersPerGroupQuestion = 2000;
inline constexpr std::size_t kMembershipBytes = 224;
// What one answer holds. Joins of several shards at once may bring a user above kMaxGroupsPerUser,
// which is told by what is stored; there is room for those.
inline constexpr std::size_t kMaxMembershipsPerAnswer =
    (kMaxAnswerBytes - kMaxEnvelopeBytes) / kMembershipBytes;
static_assert(kMaxGroupsPerUser + kMaxGroupsPerUser / 10 < kMaxMembershipsPerAnswer);
static_assert(kMaxUsersPerGroupQuestion < kMaxMembershipsPerAnswer);
static_assert(kMaxGroupPageMembers * kMemberBytes + kMaxEnvelopeBytes < kMaxAnswerBytes);

inline constexpr std::size_t kMinPasswordBytes = 8;
inline constexpr std::size_t kMaxPasswordBytes = 256;

// A sender has its answer within this time (promise P6).
inline constexpr std::uint32_t kAnswerDeadlineMs = 15'000;

// How long an edge waits for an answer of persist. Who is asked gives up earlier, who asks later.
inline constexpr std::uint32_t kRpcTimeoutMs = 10'000;
static_assert(kRpcTimeoutMs < kAnswerDeadlineMs);

}  // namespace martlet
