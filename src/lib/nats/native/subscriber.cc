#include "lib/nats/native/subscriber.h"

#include <limits>
#include <utility>

#include "base/assert.h"

namespace martlet::nats::native {
namespace {

// Bounded by the number of subscriptions: none may be dropped.
constexpr std::size_t kMaxBacklog = std::numeric_limits<std::uint32_t>::max();

}  // namespace

Result<std::unique_ptr<Subscriber>> NativeSubscriber::connect(event::Loop& loop,
                                                              const ConnectionOptions& options,
                                                              std::shared_ptr<InboundQueue> queue) {
  auto opened = open_connection(options, options.name + " subscriber");
  if (!opened) return tl::unexpected(opened.error());
  std::unique_ptr<NativeSubscriber> subscriber(new NativeSubscriber());
  const auto is_droppable = [self = subscriber.get()](SubscriptionId id) -> std::optional<bool> {
    const auto found = self->entries_.find(id);
    if (found == self->entries_.end()) return std::nullopt;
    return found->second.droppable;
  };
  Link::Parts parts{loop, std::move(queue), options, is_droppable, kMaxBacklog};
  subscriber->link_ = std::make_unique<Link>(std::move(parts), std::move(*opened));
  return std::unique_ptr<Subscriber>(std::move(subscriber));
}

NativeSubscriber::~NativeSubscriber() {
  Link::end(std::move(link_));
}

void NativeSubscriber::say(const Bytes& command) {
  if (!link_->send(command)) link_->break_off();
}

void NativeSubscriber::subscribe(SubscriptionId id, std::string_view subject,
                                 std::string_view queue_group, bool droppable) {
  const auto [place, is_new] =
      entries_.try_emplace(id, Entry{std::string(subject), std::string(queue_group), droppable});
  MARTLET_ASSERT(is_new);
  Bytes command;
  append_subscribe(command, id, subject, queue_group);
  say(command);
}

void NativeSubscriber::unsubscribe(SubscriptionId id) {
  const std::size_t erased = entries_.erase(id);
  MARTLET_ASSERT(erased == 1);
  Bytes command;
  append_unsubscribe(command, id);
  say(command);
}

bool NativeSubscriber::publish(std::string_view subject, BytesView payload) {
  Bytes command;
  append_publish(command, {subject, {}, {}, payload});
  return link_->send(command);
}

void NativeSubscriber::on_change(std::function<void(bool)> listener) {
  link_->on_lost([listener = std::move(listener)] { listener(false); });
}

void NativeSubscriber::copy_to(Subscriber& other) const {
  for (const auto& [id, entry] : entries_)
    other.subscribe(id, entry.subject, entry.queue_group, entry.droppable);
}

}  // namespace martlet::nats::native
