#include "lib/nats/library/publisher.h"
#include "lib/nats/library/subscriber.h"
#include "lib/nats/native/publisher.h"
#include "lib/nats/native/subscriber.h"

namespace martlet::nats {

Result<std::unique_ptr<Publisher>> Publisher::connect(event::Loop& loop,
                                                      const ConnectionOptions& options,
                                                      std::shared_ptr<InboundQueue> queue,
                                                      SubscriptionId id,
                                                      const std::string& answers) {
  if (options.client == Client::kLibrary)
    return LibraryPublisher::connect(loop, options, queue, id, answers);
  return native::NativePublisher::connect(loop, options, std::move(queue), id, answers);
}

Result<std::unique_ptr<Subscriber>> Subscriber::connect(event::Loop& loop,
                                                        const ConnectionOptions& options,
                                                        std::shared_ptr<InboundQueue> queue) {
  if (options.client == Client::kLibrary)
    return LibrarySubscriber::connect(loop, options, std::move(queue));
  return native::NativeSubscriber::connect(loop, options, std::move(queue));
}

}  // namespace martlet::nats
