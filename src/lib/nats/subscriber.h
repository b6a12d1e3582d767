#pragma once

#include <cstdint>
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

// The connection that receives. The library reads and delivers on threads of its own, which put
// every message into the queue. Subscriptions outlive broken links. While the link is down nothing
// calls into the library, which may hold its lock for seconds then: what is asked meanwhile is done
// when the link is back.
//
// Loop thread. Loop and queue must outlive it.
class Subscriber {
 public:
  // Blocks for at most options.connect_timeout; any thread.
  static Result<std::unique_ptr<Subscriber>> connect(event::Loop& loop,
                                                     std::shared_ptr<InboundQueue> queue,
                                                     const ConnectionOptions& options);
  ~Subscriber();
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  // queue_group empty: none.
  void subscribe(SubscriptionId id, std::string_view subject, std::string_view queue_group,
                 bool droppable);
  // Messages that are on their way may still come.
  void unsubscribe(SubscriptionId id);

  // On this connection, behind all subscriptions made before. Sent within a millisecond.
  bool publish(std::string_view subject, BytesView payload);

  // Blocks until the broker has seen all subscriptions; for start-up only.
  bool flush(Duration timeout);

  bool is_connected() const;
  // Called when the link goes and when it is back. At most one listener.
  void on_change(std::function<void(bool connected)> listener);
  // True when the library gave up for good: only a new Subscriber helps.
  bool is_closed() const;

  // Makes all its subscriptions on another one as well; before this one goes.
  void copy_to(Subscriber& other) const;

  // Frees what was unsubscribed before `passed`, a time at which something was published that the
  // queue has received since: the library's delivery thread is past it. Before 3.6.1 the library
  // must not free a subscription that may still get messages, so they also rest some seconds.
  void free_unsubscribed(MonotonicTime passed);

 private:
  struct Link;
  Subscriber() = default;
  std::shared_ptr<Link> link_;
};

}  // namespace martlet::nats
