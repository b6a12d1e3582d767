#pragma once

#include <memory>
#include <string>

#include "lib/nats/native/link.h"
#include "lib/nats/publisher.h"

namespace martlet::nats::native {

class NativePublisher final : public Publisher {
 public:
  static Result<std::unique_ptr<Publisher>> connect(event::Loop& loop,
                                                    const ConnectionOptions& options,
                                                    std::shared_ptr<InboundQueue> queue,
                                                    SubscriptionId id, const std::string& answers);
  ~NativePublisher() override;
  NativePublisher(const NativePublisher&) = delete;
  NativePublisher& operator=(const NativePublisher&) = delete;

  void start() override { link_->start(); }
  bool publish(const Outgoing& message) override;
  bool is_connected() const override { return link_->is_connected(); }
  void on_lost(std::function<void()> listener) override { link_->on_lost(std::move(listener)); }
  std::int64_t max_payload() const override { return link_->info().max_payload; }
  std::size_t backlog_bytes() const override { return link_->backlog_bytes(); }
  void break_link() override { link_->break_off(); }

 private:
  explicit NativePublisher(std::unique_ptr<Link> link) : link_(std::move(link)) {}

  std::unique_ptr<Link> link_;
  Bytes command_;  // kept for its memory
};

}  // namespace martlet::nats::native
