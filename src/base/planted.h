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
  kNoLookUp,         // duplicates are not looked up in the database
  kTrustFirstSent,   // a frame is as young as it says, however long it lay unread
  kForgetWindow,     // the window is empty after a take-over
  kForgetWatermark,  // heads are forgotten that the database does not have
  kNoOwnerEntry,     // a take-over without an OWNER entry
  kSkipFence,        // appends expect whatever is there
  kTwoAppends,       // two appends of a shard are under way
  kReuseMessageId,   // sometimes the id of the message before
  kReorderBatch,     // messages of a batch change places
  kForgetRefusals,   // what was refused for good may be accepted for a copy
  kSkipRights,       // who writes need not be a member
  kAcceptOldAnswer,  // what the database says of a head counts more than the log
  // persist and the database
  kWatermarkOnce,       // announced after a commit, and never again
  kStoredBeforeCommit,  // the watermark is announced before the commit
  kPurgeTooMuch,        // up to the end of the log
  kApplyTwice,          // a batch below the watermark is applied again
  kSkipRows,            // the watermark is committed before the rows
  kTwoSnapshots,        // the token of a SYNC is newer than its rows
  kSkipBarrier,         // an answer waits for nothing
  kKeepBase,            // nobody looks whether a log lost its end
  kSkipReadRights,      // history is for everybody
  // edge
  kIgnoreMembersAt,  // events go to whom the edge takes for a member, however old that is
  kMissChanges,      // changes of membership go unnoticed, and are taken for known
  kFanOutToRemoved,  // who was removed stays in the fan-out
  kSkipTokenCheck,
  kCreditUntilStored,  // STORED holds credit
  kUnsubscribeEarly,   // when one of several sessions of a user leaves
  kLoseOneEvent,       // of twenty, and nobody checks the tail
  kSpeakAtOnce,        // who stood still publishes what it has
  // client
  kIgnoreGeneration,  // what was lost at the broker stays on the screen
  kSkipGap,           // a gap is taken for what was withheld
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
