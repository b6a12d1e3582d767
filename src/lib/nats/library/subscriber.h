#pragma once

#include <memory>
#include <string>

#include "lib/nats/subscriber.h"

namespace martlet::nats {

// On the client library, which reads, delivers and reconnects on threads of its own. While the link
// is down nothing calls into it: it may hold its lock for seconds then.
class LibrarySubscriber final : public Subscriber {
 public:
  static Result<std::unique_ptr<Subscriber>> connect(event::Loop& loop,
                                                     const ConnectionOptions& options,
                                                     std::shared_ptr<InboundQueue> queue);
  ~LibrarySubscriber() override;
  LibrarySubscriber(const LibrarySubscriber&) = delete;
  LibrarySubscriber& operator=(const LibrarySubscriber&) = delete;

  void start() override {}
  void subscribe(SubscriptionId id, std::string_view subject, std::string_view queue_group,
                 bool droppable) override;
  void unsubscribe(SubscriptionId id) override;
  bool publish(std::string_view subject, BytesView payload) override;
  bool flush(Duration timeout) override;
  bool is_connected() const override;
  void on_change(std::function<void(bool connected)> listener) override;
  bool is_closed() const override;
  void copy_to(Subscriber& other) const override;
  // The library's delivery thread is past what was published at `passed`. Before 3.6.1 it must not
  // free a subscription that may still get messages, so they also rest some seconds.
  void free_unsubscribed(MonotonicTime passed) override;

 private:
  struct Link;
  explicit LibrarySubscriber(std::shared_ptr<Link> link);
  std::shared_ptr<Link> link_;
};

}  // namespace martlet::nats
