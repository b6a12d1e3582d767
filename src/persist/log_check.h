#pragma once

#include <functional>
#include <memory>

#include "bus/log.h"
#include "event/loop.h"
#include "persist/applier_core.h"
#include "persist/metrics.h"
#include "store/store.h"

namespace martlet::persist {

// Compares a shard's row with the end of its log and, when the log lost its tail, raises base and
// generation. The end is looked at twice before that, since a replica may be behind for a moment.
// What is left of the log must be stored first: until it is, a loss is the error kUnavailable.
// Loop thread. Calls back once; may be destroyed by the callback, or before it.
class LogCheck {
 public:
  using Done = std::function<void(Result<Inspection>)>;
  struct Parts {
    event::Loop& loop;
    store::MessageStore& store;
    bus::Log& log;
    PersistMetrics& metrics;
  };
  // known: a position that was in the log, as somebody says; 0: none.
  LogCheck(const Parts& parts, ShardId shard, LogPosition known, Done done);
  ~LogCheck();
  LogCheck(const LogCheck&) = delete;
  LogCheck& operator=(const LogCheck&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace martlet::persist
