#include "lib/nats/library/subscriber.h"

#include <nats/nats.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/log.h"
#include "lib/nats/library/connection_options.h"
#include "lib/nats/library/delivery.h"

namespace martlet::nats {
namespace {

constexpr Duration kRest = std::chrono::seconds(5);
struct Entry {
  std::string subject;
  std::string queue_group;
  bool droppable = false;
  natsSubscription* raw = nullptr;  // null: asked for while the link was down
};

struct Resting {
  natsSubscription* raw = nullptr;
  MonotonicTime since;
};

}  // namespace

// What the library's callbacks see; it lives until the library's last callback (closed).
struct LibrarySubscriber::Link : std::enable_shared_from_this<LibrarySubscriber::Link> {
  Link(event::Loop& l, std::shared_ptr<InboundQueue> q) : loop(l), queue(std::move(q)) {}

  natsStatus set_options(natsOptions* raw, const std::string& name);
  natsStatus connect(natsOptions* raw);
  void close();

  // Library's threads; does nothing once the subscriber is gone.
  template <class F>
  void post(F task) {
    const std::lock_guard lock(mutex);
    if (open) loop.post([keep = shared_from_this(), task] { task(*keep); });
  }

  void on_connected(bool now);
  void start(SubscriptionId id, Entry& entry);
  void stop(natsSubscription* raw);

  event::Loop& loop;
  std::shared_ptr<InboundQueue> queue;
  std::shared_ptr<LiveSubscriptions> live = std::make_shared<LiveSubscriptions>();
  natsConnection* connection = nullptr;
  std::unordered_map<SubscriptionId, Entry> entries;
  std::vector<SubscriptionId> to_start;
  std::vector<natsSubscription*> to_stop;
  std::deque<Resting> resting;
  std::function<void(bool)> listener;
  std::string subject;  // kept for its memory

  // Set by the library's thread at once: between a broken link and our knowing of it every call
  // into the library could block.
  std::atomic<bool> connected = false;
  std::atomic<bool> closed = false;
  std::mutex mutex;
  bool open = true;  // guarded by mutex
};

natsStatus LibrarySubscriber::Link::set_options(natsOptions* raw, const std::string& name) {
  const auto on_lost = [](natsConnection*, void* self) {
    static_cast<Link*>(self)->connected = false;
    static_cast<Link*>(self)->post([](Link& link) { link.on_connected(false); });
  };
  const auto on_back = [](natsConnection*, void* self) {
    static_cast<Link*>(self)->connected = true;
    static_cast<Link*>(self)->post([](Link& link) { link.on_connected(true); });
  };
  const auto on_error = [](natsConnection*, natsSubscription*, natsStatus status, void* self) {
    if (status == NATS_SLOW_CONSUMER) static_cast<Link*>(self)->queue->note_dropped();
    MARTLET_LOG(warn, "nats_error link=subscriber error=\"{}\"", natsStatus_GetText(status));
  };
  for (const natsStatus status : {
           natsOptions_SetName(raw, (name + " subscriber").c_str()),
           natsOptions_SetDisconnectedCB(raw, on_lost, this),
           natsOptions_SetReconnectedCB(raw, on_back, this),
           natsOptions_SetErrorHandler(raw, on_error, this),
       }) {
    if (status != NATS_OK) return status;
  }
  return NATS_OK;
}

natsStatus LibrarySubscriber::Link::connect(natsOptions* raw) {
  using Keep = std::shared_ptr<Link>;
  auto keep = std::make_unique<Keep>(shared_from_this());
  const auto on_closed = [](natsConnection*, void* keep) {
    const std::unique_ptr<Keep> last(static_cast<Keep*>(keep));
    (*last)->connected = false;
    (*last)->closed = true;
  };
  natsStatus status = natsOptions_SetClosedCB(raw, on_closed, keep.get());
  if (status == NATS_OK) status = natsConnection_Connect(&connection, raw);
  if (status != NATS_OK) return status;
  static_cast<void>(keep.release());  // owned by the closed callback now
  connected = true;
  return NATS_OK;
}

void LibrarySubscriber::Link::close() {
  {
    const std::lock_guard lock(mutex);
    open = false;
  }
  listener = nullptr;
  // Closing ends all subscriptions; after it the library frees each when its thread is done with
  // it.
  natsConnection_Close(connection);
  for (auto& [id, entry] : entries) natsSubscription_Destroy(entry.raw);
  for (natsSubscription* raw : to_stop) natsSubscription_Destroy(raw);
  for (const Resting& rest : resting) natsSubscription_Destroy(rest.raw);
  natsConnection_Destroy(connection);
}

void LibrarySubscriber::Link::on_connected(bool now) {
  if (now && connected) {
    for (natsSubscription* raw : std::exchange(to_stop, {})) stop(raw);
    for (const SubscriptionId id : std::exchange(to_start, {})) {
      const auto found = entries.find(id);
      if (found != entries.end()) start(id, found->second);
    }
  }
  if (listener) listener(now);
}

void LibrarySubscriber::Link::start(SubscriptionId id, Entry& entry) {
  const natsStatus status =
      subscribe_into(queue, id, entry.droppable, live, connection, entry.subject.c_str(),
                     entry.queue_group.empty() ? nullptr : entry.queue_group.c_str(), &entry.raw);
  if (status == NATS_OK) return;
  // Closed for good; the owner finds out.
  MARTLET_LOG(error, "subscribe_failed subject={} error=\"{}\"", entry.subject,
              natsStatus_GetText(status));
}

void LibrarySubscriber::Link::stop(natsSubscription* raw) {
  natsSubscription_Unsubscribe(raw);
  resting.push_back({raw, loop.now()});
}

Result<std::unique_ptr<Subscriber>> LibrarySubscriber::connect(
    event::Loop& loop, const ConnectionOptions& options, std::shared_ptr<InboundQueue> queue) {
  auto raw = common_options(options);
  if (!raw) return tl::unexpected(raw.error());
  auto link = std::make_shared<Link>(loop, std::move(queue));
  natsStatus status = link->set_options(raw->get(), options.name);
  if (status == NATS_OK) status = link->connect(raw->get());
  if (status != NATS_OK) return connect_error(status, options);
  return std::unique_ptr<Subscriber>(new LibrarySubscriber(std::move(link)));
}

LibrarySubscriber::LibrarySubscriber(std::shared_ptr<Link> link) : link_(std::move(link)) {}

LibrarySubscriber::~LibrarySubscriber() {
  link_->close();
}

void LibrarySubscriber::subscribe(SubscriptionId id, std::string_view subject,
                                  std::string_view queue_group, bool droppable) {
  const auto [place, is_new] = link_->entries.try_emplace(
      id, Entry{std::string(subject), std::string(queue_group), droppable});
  MARTLET_ASSERT(is_new);
  if (link_->connected) {
    link_->start(id, place->second);
  } else {
    link_->to_start.push_back(id);
  }
}

void LibrarySubscriber::unsubscribe(SubscriptionId id) {
  const auto found = link_->entries.find(id);
  MARTLET_ASSERT(found != link_->entries.end());
  natsSubscription* raw = found->second.raw;
  link_->entries.erase(found);
  if (raw == nullptr) return;
  if (link_->connected) {
    link_->stop(raw);
  } else {
    link_->to_stop.push_back(raw);
  }
}

bool LibrarySubscriber::publish(std::string_view subject, BytesView payload) {
  if (!link_->connected) return false;
  link_->subject = subject;
  return natsConnection_Publish(link_->connection, link_->subject.c_str(), payload.data(),
                                static_cast<int>(payload.size())) == NATS_OK;
}

bool LibrarySubscriber::flush(Duration timeout) {
  return natsConnection_FlushTimeout(link_->connection, to_ms(timeout)) == NATS_OK;
}

bool LibrarySubscriber::is_connected() const {
  return link_->connected;
}

void LibrarySubscriber::on_change(std::function<void(bool)> listener) {
  link_->listener = std::move(listener);
}

bool LibrarySubscriber::is_closed() const {
  return link_->closed;
}

void LibrarySubscriber::copy_to(Subscriber& other) const {
  for (const auto& [id, entry] : link_->entries) {
    other.subscribe(id, entry.subject, entry.queue_group, entry.droppable);
  }
}

void LibrarySubscriber::free_unsubscribed(MonotonicTime passed) {
  std::deque<Resting>& resting = link_->resting;
  const MonotonicTime limit = std::min(passed, link_->loop.now() - kRest);
  while (!resting.empty() && resting.front().since < limit) {
    natsSubscription_Destroy(resting.front().raw);
    resting.pop_front();
  }
}

}  // namespace martlet::nats
