#include "lib/nats/library/delivery.h"

#include <utility>

namespace martlet::nats {
namespace {

constexpr std::chrono::seconds kCloseWait(2);
// Our own queue is the limit; the library's only has to hold what one wake-up brings.
constexpr int kPendingMessages = 65'536;
constexpr int kPendingBytes = 64 * 1024 * 1024;

// What the library's delivery thread gets; freed when it says that no message follows any more.
struct Closure {
  std::shared_ptr<InboundQueue> queue;
  std::shared_ptr<LiveSubscriptions> live;
  SubscriptionId id = 0;
  bool droppable = false;
};

void on_message(natsConnection*, natsSubscription*, natsMsg* raw, void* closure) {
  const auto* c = static_cast<Closure*>(closure);
  c->queue->put({c->id, Message(raw)}, c->droppable);
}

void on_complete(void* raw) {
  const std::unique_ptr<Closure> closure(static_cast<Closure*>(raw));
  closure->live->remove();
}

}  // namespace

void LiveSubscriptions::add() {
  const std::lock_guard lock(mutex_);
  ++live_;
}

void LiveSubscriptions::remove() {
  const std::lock_guard lock(mutex_);
  --live_;
  changed_.notify_all();
}

void LiveSubscriptions::wait_for_none() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kCloseWait, [this] { return live_ == 0; });
}

natsStatus subscribe_into(const std::shared_ptr<InboundQueue>& queue, SubscriptionId id,
                          bool droppable, const std::shared_ptr<LiveSubscriptions>& live,
                          natsConnection* connection, const char* subject, const char* queue_group,
                          natsSubscription** result) {
  auto closure = std::make_unique<Closure>(Closure{queue, live, id, droppable});
  const natsStatus status =
      queue_group == nullptr
          ? natsConnection_Subscribe(result, connection, subject, on_message, closure.get())
          : natsConnection_QueueSubscribe(result, connection, subject, queue_group, on_message,
                                          closure.get());
  if (status != NATS_OK) return status;
  natsSubscription_SetPendingLimits(*result, kPendingMessages, kPendingBytes);
  live->add();
  return natsSubscription_SetOnCompleteCB(*result, on_complete, closure.release());
}

}  // namespace martlet::nats
