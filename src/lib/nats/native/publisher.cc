#include "lib/nats/native/publisher.h"

#include <utility>

#include "base/assert.h"
#include "base/log.h"

namespace martlet::nats::native {

Result<std::unique_ptr<Publisher>> NativePublisher::connect(event::Loop& loop,
                                                            const ConnectionOptions& options,
                                                            std::shared_ptr<InboundQueue> queue,
                                                            SubscriptionId id,
                                                            const std::string& answers) {
  auto opened = open_connection(options, options.name + " publisher");
  if (!opened) return tl::unexpected(opened.error());
  // Answers are bounded by the questions.
  Link::Parts parts{
      loop, std::move(queue), options,
      [id](SubscriptionId of) { return of == id ? std::optional(false) : std::nullopt; },
      kMaxBacklogBytes};
  auto link = std::make_unique<Link>(std::move(parts), std::move(*opened));
  Bytes command;
  append_subscribe(command, id, answers, {});
  link->send(command);
  return std::unique_ptr<Publisher>(new NativePublisher(std::move(link)));
}

NativePublisher::~NativePublisher() {
  Link::end(std::move(link_));
}

bool NativePublisher::publish(const Outgoing& message) {
  if (static_cast<std::int64_t>(message.payload.size()) > max_payload()) {
    MARTLET_LOG(error, "publish_failed subject={} bytes={} error=\"above max_payload\"",
                message.subject, message.payload.size());
    return false;
  }
  command_.clear();
  append_publish(command_, message);
  return link_->send(command_);
}

}  // namespace martlet::nats::native
