#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace martlet::api {

// An edge beats once a second; one that was silent for this long is taken for dead. Who asks for an
// edge is never sent to one that was killed five seconds ago.
inline constexpr std::uint32_t kEdgeSilenceMs = 4'000;
// One that has just come, or lost the broker, listens for so long before it answers: whoever lives
// was heard.
inline constexpr Duration kFirstLook = std::chrono::milliseconds(1'200);
// More edges than this are not remembered: somebody else is talking on our subject.
inline constexpr std::size_t kMaxEdges = 4'096;

// ---- what processes say of themselves -----------------------------------------------------------

// A process speaks once a second; one that was silent for so long is gone.
inline constexpr std::uint32_t kStatusSilenceMs = 5'000;
// It is told as gone for so long, and then forgotten.
inline constexpr std::uint32_t kStatusKeptMs = 60'000;
// More processes, or more bytes of what they say, are not remembered.
inline constexpr std::size_t kMaxServices = 1'024;
inline constexpr std::size_t kMaxStatusMemoryBytes = 32U << 20;

// ---- routing ------------------------------------------------------------------------------------

// A consistent hash sends nobody to an edge that has so many times its share.
inline constexpr double kHashBound = 1.15;

// ---- moving sessions ----------------------------------------------------------------------------

// An edge gives some away when it has so much more than its share, and at least so many.
inline constexpr double kRebalanceTolerance = 0.2;
inline constexpr std::uint32_t kRebalanceLeast = 20;
// Else edges would give away whom the hash sends them.
static_assert(kHashBound < 1 + kRebalanceTolerance);

// ---- how many edges -----------------------------------------------------------------------------

// Fewer edges are wanted only if there is room for so many times the load: more than lies between
// 20 % above and 20 % below the same load.
inline constexpr double kScaleDownRoom = 1.6;
static_assert(kScaleDownRoom > 1.2 / 0.8);
// After a change the number does not go the other way for so long.
inline constexpr Duration kScaleTurn = std::chrono::seconds(30);

// ---- administration -----------------------------------------------------------------------------

// For persist's answer to what people do, which waits for the database.
inline constexpr Duration kAdminTimeout = std::chrono::seconds(5);
// Of the audit log in one answer, if nobody says how many.
inline constexpr std::uint32_t kAuditRows = 100;

// ---- the flight recorder ------------------------------------------------------------------------

// Messages of which hops are remembered: those followed by chance, those that their senders wanted
// followed, and the hops of all of them; those of one message (a large group has two an edge).
inline constexpr std::size_t kMaxSampledTraces = 10'000;
inline constexpr std::size_t kMaxFlaggedTraces = 2'000;
inline constexpr std::size_t kMaxTraceHops = 200'000;
inline constexpr std::size_t kMaxHopsPerTrace = 500;
// For persist's answer: it waits for the database to follow the logs, and says then that it does
// not.
inline constexpr Duration kTraceTimeout = std::chrono::seconds(10);

// ---- changes as they happen ---------------------------------------------------------------------

// Who listens to changes of the edges; more are refused.
inline constexpr std::size_t kMaxListeners = 32;
// A silent stream says that it lives.
inline constexpr Duration kStreamBeat = std::chrono::seconds(10);

}  // namespace martlet::api
