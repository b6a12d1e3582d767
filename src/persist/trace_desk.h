#pragma once

#include <memory>
#include <vector>

#include "bus/bus.h"
#include "bus/log.h"
#include "event/loop.h"
#include "persist/barrier.h"
#include "persist/metrics.h"
#include "persist/watermarks.h"
#include "store/store.h"

namespace martlet::persist {

// Where a message is, as far as it is durable: in the database, behind the barrier, and perhaps
// still in the log. Says `behind` where a message that is not found may be in the log and not
// stored. Loop thread; what it refers to outlives it.
class TraceDesk {
 public:
  struct Parts {
    event::Loop& loop;
    bus::Bus& bus;
    bus::Log& log;
    store::MessageStore& store;
    Barrier& barrier;
    const Watermarks& watermarks;
    PersistMetrics& metrics;
    std::uint16_t shards;
  };
  explicit TraceDesk(const Parts& parts) : parts_(parts) {}

  void handle(const bus::Incoming& message);

 private:
  struct Call;
  void look_up(const std::shared_ptr<Call>& call);
  void found(const std::shared_ptr<Call>& call, const Result<std::vector<wire::TraceRow>>& rows);
  void ask_logs(const std::shared_ptr<Call>& call);
  void note_first(wire::TraceRow& row, const bus::LogInfos& infos) const;
  void answer(const Call& call);

  const Parts parts_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace martlet::persist
