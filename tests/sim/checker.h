#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/history.h"

namespace martlet::sim {

// How a promise of the design is broken.
enum class Breach {
  kLost,               // P1: acknowledged, and not in the database
  kDoubled,            // P2: in its conversation twice, or shown twice
  kGap,                // P3: a seq is missing in the database
  kUnequalSeq,         // P3: two tell different messages under one seq
  kSwapped,            // P3: shown, or accepted, in another order
  kNotDelivered,       // P4, P5: a device lacks a message of its conversations at the end
  kMissedLive,         // P4: nothing went wrong, and it came late all the same
  kNotTold,            // P5: a SYNC did not tell of what was acknowledged before
  kNotInHistory,       // P5: HISTORY does not tell what the database has
  kUnanswered,         // P6: open at the end, or a request without an answer in time
  kRefusedButThere,    // P6: refused finally, and yet in the database
  kShownToOutsider,    // P7: to somebody who was not in the conversation then
  kWrittenByOutsider,  // P7
  kDeadEntry,          // P1: a good entry that the database refused
  kUnsettled,          // P4: no rest, long after everything was well again
};
std::string_view name_of(Breach breach);
// "P1" to "P7".
std::string_view promise_of(Breach breach);

struct Finding {
  Breach breach;
  std::string detail;  // the messages concerned
};

// Acknowledged by a log that a power cut may have cut short afterwards.
bool is_before_cut(const History& history, const SentRecord& sent);

// Every broken promise, the first ones of each kind. Pure.
std::vector<Finding> check(const History& history);

}  // namespace martlet::sim
