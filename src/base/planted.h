#pragma once

#include <cstdint>

#include "base/planted_config.h"

// Faults that can be planted into the code, to prove that the tests would find them. In an ordinary
// build is_planted() is false at compile time and nothing of them is left; with the meson option
// planted_faults a test program chooses one. tests/sim/planted.cc says what each breaks.
namespace martlet {

enum class Planted : std::uint8_t {
  kNone,
  // dispatcher
  kAckBeforeAppend,
  kPublishBeforeAppend,
  kNoLookUp,        // duplicates are not looked up in the database
  kNoOwnerEntry,    // a take-over without an OWNER entry
  kForgetWindow,    // the window is empty after a take-over
  kSkipFence,       // appends expect whatever is there
  kTwoAppends,      // two appends of a shard are under way
  kReuseMessageId,  // sometimes the id of the message before
  kReorderBatch,    // the entries of a batch change places
  // persist
  kWatermarkOnce,  // announced after a commit, and never again
  kPurgeTooMuch,   // up to the end of the log
  kSkipBarrier,    // an answer waits for nothing
  // edge
  kIgnoreMembersAt,  // events go to whom the edge takes for a member, however old that is
  kSkipTokenCheck,
};

#if MARTLET_PLANTED_FAULTS
extern Planted planted_fault;  // by a test program, before anything starts
inline bool is_planted(Planted fault) {
  return planted_fault == fault;
}
#else
constexpr bool is_planted(Planted) {
  return false;
}
#endif

}  // namespace martlet
