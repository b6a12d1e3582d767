#pragma once

#include <cstddef>
#include <cstdint>

#include "model/limits.h"

namespace martlet::wire {

// Limits of the codecs. Those that several parts share are in model/limits.h.

// Nesting of tables; our deepest body has four levels.
inline constexpr std::uint32_t kMaxTableDepth = 16;
// Tables that one body or envelope may hold: what fits into the largest answer as offsets.
inline constexpr std::uint32_t kMaxTables = 128 * 1024;

inline constexpr std::size_t kMaxJsonDepth = 32;
// A JSON body is longer than the same FlatBuffers body: escapes and base64. Six bytes for each
// control character is the worst case, the names of fields are the rest.
inline constexpr std::size_t kMaxJsonAnswerBytes = 8 * kMaxAnswerBytes;

// Seqs above are refused, so that seq + 1 and a signed 64-bit column never overflow.
inline constexpr std::uint64_t kMaxSeq = (1ULL << 53) - 1;
// Of one range in a FETCH.
inline constexpr std::uint64_t kMaxRangeSeqs = 1'000'000;

// Strings that are no message: a name and version of a client, type names, file names, mime types.
inline constexpr std::size_t kMaxLabelBytes = 256;
inline constexpr std::size_t kMaxUrlBytes = 4096;
// Of an edge among others; the usual one is 100.
inline constexpr std::uint32_t kMaxEdgeWeight = 10'000;
// Addresses to which an edge may be told to send its sessions.
inline constexpr std::size_t kMaxMoves = 4'096;
// What a process says of itself: numbers, and bytes of the whole.
inline constexpr std::size_t kMaxStatusValues = 8'192;
inline constexpr std::size_t kMaxStatusBytes = 256 * 1024;
// Of the audit log in one answer.
inline constexpr std::uint32_t kMaxAuditRows = 500;
// Of the flight recorder: hops in one report, what one is at most, two names and a conversation in
// it; messages with one client_msg_id in an answer, and members of each.
inline constexpr std::size_t kMaxHopsPerReport = 1'000;
inline constexpr std::size_t kHopBytes = 400;
static_assert(kMaxHopsPerReport * kHopBytes + kMaxEnvelopeBytes < kMaxAnswerBytes);
inline constexpr std::size_t kMaxTraceRows = 10;
inline constexpr std::size_t kMaxTraceMembers = 100;
static_assert(kMaxTraceRows * (kMaxTraceMembers * kMemberBytes + kMaxEnvelopeBytes) <
              kMaxAnswerBytes);
inline constexpr std::size_t kSha256Bytes = 32;

// A decoder keeps no more than this between two frames.
inline constexpr std::size_t kIdleBufferBytes = 4096;

// What a batch of the log adds to its entries, and an entry at most to its content.
inline constexpr std::size_t kBatchOverheadBytes = 128;
inline constexpr std::size_t kEntryOverheadBytes = 160;
// What a Message adds at most to its content and its two names, including its place in a page.
inline constexpr std::size_t kMessageOverheadBytes = 160;

}  // namespace martlet::wire
