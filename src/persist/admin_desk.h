#pragma once

#include "bus/bus.h"
#include "event/loop.h"
#include "persist/metrics.h"
#include "store/store.h"

namespace martlet::persist {

// What people do to users and edges: it is in the audit log before anybody feels it, or it is
// refused. Loop thread; what it refers to outlives it.
class AdminDesk {
 public:
  struct Parts {
    event::Loop& loop;
    bus::Bus& bus;
    store::MessageStore& store;
    PersistMetrics& metrics;
  };
  explicit AdminDesk(const Parts& parts) : parts_(parts) {}

  void handle_act(const bus::Incoming& message);
  void handle_audit(const bus::Incoming& message);

 private:
  void carry_out(const wire::AdminRequest& request);

  const Parts parts_;
};

}  // namespace martlet::persist
