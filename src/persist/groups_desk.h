#pragma once

#include <string>

#include "persist/barrier.h"
#include "persist/client_call.h"
#include "store/store.h"

namespace martlet::persist {

// Questions of edges about who is in which group. Each is answered from one snapshot of the
// database that has what was in the logs when the question came, or says that it is behind. Loop
// thread; what it refers to outlives it.
class GroupsDesk {
 public:
  struct Parts {
    event::Loop& loop;
    bus::Bus& bus;
    store::MessageStore& store;
    Barrier& barrier;
    PersistMetrics& metrics;
    OpenRequests& open;
    std::uint16_t shards;
  };
  explicit GroupsDesk(const Parts& parts) : parts_(parts) {}

  void handle(const bus::Incoming& message);

 private:
  class Call;
  void ask(const std::shared_ptr<Call>& call, bool behind);

  const Parts parts_;
};

}  // namespace martlet::persist
