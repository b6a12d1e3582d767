#pragma once

#include <deque>
#include <optional>

#include "base/clock.h"
#include "bus/log.h"
#include "store/types.h"

namespace martlet::persist {

// Knows up to where a shard's log has been stored for long enough to be deleted. Pure.
class PurgePlan {
 public:
  explicit PurgePlan(Duration keep) : keep_(keep) {}

  void stored(LogPosition watermark, MonotonicTime now);
  // The first sequence to keep: everything below was stored `keep` ago. None: nothing to delete.
  std::optional<bus::LogSequence> keep_from(const store::ShardState& state, const bus::LogInfo& log,
                                            MonotonicTime now);

 private:
  struct Sample {
    MonotonicTime time;
    LogPosition watermark;
  };
  const Duration keep_;
  std::deque<Sample> samples_;  // one a second at most
  std::optional<LogPosition> old_enough_;
};

}  // namespace martlet::persist
