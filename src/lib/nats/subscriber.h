#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "event/loop.h"
#include "lib/nats/inbound_queue.h"
#include "lib/nats/options.h"

namespace martlet::nats {

// The connection that receives: every message goes to the queue. What is asked while the link is
// down is done when it is back; nothing blocks.
//
// Loop thread. Loop and queue must outlive it.
class Subscriber {
 public:
  // Blocks for at most options.connect_timeout for each server that it tries; any thread. Nothing
  // moves before start().
  static Result<std::unique_ptr<Subscriber>> connect(event::Loop& loop,
                                                     const ConnectionOptions& options,
                                                     std::shared_ptr<InboundQueue> queue);
  virtual ~Subscriber() = default;

  // On the loop's thread, once.
  virtual void start() = 0;

  // queue_group empty: none.
  virtual void subscribe(SubscriptionId id, std::string_view subject, std::string_view queue_group,
                         bool droppable) = 0;
  // Messages that are on their way may still come.
  virtual void unsubscribe(SubscriptionId id) = 0;

  // On this connection, behind all subscriptions made before. Sent within a millisecond.
  virtual bool publish(std::string_view subject, BytesView payload) = 0;

  // Blocks until the broker has seen what was subscribed before the start; for start-up only.
  virtual bool flush(Duration timeout) = 0;

  virtual bool is_connected() const = 0;
  // Called when the link goes and when it is back. At most one listener; it must not end the
  // subscriber.
  virtual void on_change(std::function<void(bool connected)> listener) = 0;
  // True when it will never be back: only a new Subscriber helps.
  virtual bool is_closed() const = 0;

  // Makes all its subscriptions on another one as well; before this one goes.
  virtual void copy_to(Subscriber& other) const = 0;

  // What was unsubscribed before `passed` gets nothing any more: something that was published then
  // has come back since.
  virtual void free_unsubscribed(MonotonicTime passed) = 0;
};

}  // namespace martlet::nats
