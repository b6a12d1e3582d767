#pragma once

#include "bus/log.h"
#include "store/types.h"

namespace martlet::persist {

// What the end of a log says when it is held against the shard's row and against what the log is
// known to have had.
enum class TailVerdict {
  kWhole,      // nothing is missing
  kLost,       // the tail is gone, and what is left is stored: base and generation must rise
  kNotStored,  // the tail is gone, and of what is left some is not stored yet
};

// last: the log's last sequence. known: a position that was in the log; 0: none.
TailVerdict judge_tail(const store::ShardState& row, LogPosition known, bus::LogSequence last);

}  // namespace martlet::persist
