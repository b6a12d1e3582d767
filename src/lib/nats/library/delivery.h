#pragma once

#include <nats/nats.h>

#include <condition_variable>
#include <memory>
#include <mutex>

#include "lib/nats/inbound_queue.h"

namespace martlet::nats {

// How many subscriptions of a connection the library may still deliver to. Any thread.
class LiveSubscriptions {
 public:
  void add();
  void remove();
  // After the connection was closed: until its subscriptions may be freed.
  void wait_for_none();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t live_ = 0;  // guarded by mutex_
};

// Subscribes so that every message goes into the queue under this id. queue_group null: none.
natsStatus subscribe_into(const std::shared_ptr<InboundQueue>& queue, SubscriptionId id,
                          bool droppable, const std::shared_ptr<LiveSubscriptions>& live,
                          natsConnection* connection, const char* subject, const char* queue_group,
                          natsSubscription** result);

}  // namespace martlet::nats
