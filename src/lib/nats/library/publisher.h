#pragma once

#include <memory>
#include <string>

#include "lib/nats/publisher.h"

namespace martlet::nats {

// On the client library, whose socket is driven by our loop (docs/adr/0001). A broken link needs a
// new object because the library (3.4.1), driven by a loop, keeps its parser over a reconnect, and
// would read what comes first on the new link as the rest of the message in which the old one
// broke.
class LibraryPublisher final : public Publisher {
 public:
  static Result<std::unique_ptr<Publisher>> connect(event::Loop& loop,
                                                    const ConnectionOptions& options,
                                                    const std::shared_ptr<InboundQueue>& queue,
                                                    SubscriptionId id, const std::string& answers);
  ~LibraryPublisher() override;
  LibraryPublisher(const LibraryPublisher&) = delete;
  LibraryPublisher& operator=(const LibraryPublisher&) = delete;

  void start() override;
  bool publish(const Outgoing& message) override;
  bool is_connected() const override;
  void on_lost(std::function<void()> listener) override;
  std::int64_t max_payload() const override;
  std::size_t backlog_bytes() const override;
  void break_link() override;

 private:
  struct Link;
  explicit LibraryPublisher(std::shared_ptr<Link> link);
  std::shared_ptr<Link> link_;
};

}  // namespace martlet::nats
