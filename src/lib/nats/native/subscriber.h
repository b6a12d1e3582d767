#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "lib/nats/native/link.h"
#include "lib/nats/subscriber.h"

namespace martlet::nats::native {

// A broken link closes it for good.
class NativeSubscriber final : public Subscriber {
 public:
  static Result<std::unique_ptr<Subscriber>> connect(event::Loop& loop,
                                                     const ConnectionOptions& options,
                                                     std::shared_ptr<InboundQueue> queue);
  ~NativeSubscriber() override;
  NativeSubscriber(const NativeSubscriber&) = delete;
  NativeSubscriber& operator=(const NativeSubscriber&) = delete;

  void start() override { link_->start(); }
  void subscribe(SubscriptionId id, std::string_view subject, std::string_view queue_group,
                 bool droppable) override;
  void unsubscribe(SubscriptionId id) override;
  bool publish(std::string_view subject, BytesView payload) override;
  // The PONG of the handshake said that the broker answers.
  bool flush(Duration) override { return is_connected(); }
  bool is_connected() const override { return link_->is_connected(); }
  void on_change(std::function<void(bool connected)> listener) override;
  bool is_closed() const override { return !link_->is_connected(); }
  void copy_to(Subscriber& other) const override;
  // What has ended is forgotten already.
  void free_unsubscribed(MonotonicTime) override {}

 private:
  struct Entry {
    std::string subject;
    std::string queue_group;
    bool droppable = false;
  };

  NativeSubscriber() = default;
  void say(const Bytes& command);

  std::unordered_map<SubscriptionId, Entry> entries_;
  std::unique_ptr<Link> link_;
};

}  // namespace martlet::nats::native
