#include "bus/nats_bus.h"

#include <spdlog/fmt/fmt.h>

#include <charconv>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "bus/subjects.h"
#include "lib/nats/message.h"
#include "lib/nats/native/servers.h"
#include "model/limits.h"

namespace martlet::bus {
namespace {

constexpr std::size_t kMaxWaiting = 65'536;
constexpr std::size_t kMaxMessagesPerTurn = 512;
constexpr Duration kExpiryStep = std::chrono::milliseconds(20);
constexpr Duration kProbePeriod = std::chrono::seconds(2);
constexpr Duration kProbeTimeout = std::chrono::seconds(4);
constexpr Duration kRejoinTimeout = std::chrono::seconds(2);
constexpr Duration kConnectPause = std::chrono::milliseconds(200);

// Answers come on the publishing connection, barriers on the subscribing one.
constexpr nats::SubscriptionId kAnswersId = 1;
constexpr nats::SubscriptionId kBarrierId = 2;

std::string answers_subject_of(const std::string& inbox) {
  return inbox + ".a.*";
}
std::string barrier_subject_of(const std::string& inbox) {
  return inbox + ".b.*";
}

struct Wanted {
  bool publisher = true;
  bool subscriber = true;
};

Result<BusLinks> open_links(event::Loop& loop, const std::shared_ptr<nats::InboundQueue>& queue,
                            const nats::ConnectionOptions& options, const std::string& inbox,
                            Wanted wanted) {
  BusLinks links;
  // In this order: a publisher may only be destroyed on the loop, and this may be another thread.
  if (wanted.subscriber) {
    auto subscriber = nats::Subscriber::connect(loop, options, queue);
    if (!subscriber) return tl::unexpected(subscriber.error());
    links.subscriber = std::move(*subscriber);
  }
  if (wanted.publisher) {
    auto publisher =
        nats::Publisher::connect(loop, options, queue, kAnswersId, answers_subject_of(inbox));
    if (!publisher) return tl::unexpected(publisher.error());
    links.publisher = std::move(*publisher);
  }
  return links;
}

// Up to half more, so that not all come back at once.
Duration jittered(Duration wait) {
  return wait + Duration(SystemRandom().below(static_cast<std::uint64_t>(wait.count()) / 2));
}

Error not_connected() {
  return {ErrorCode::kUnavailable, "not connected to NATS"};
}

}  // namespace

class NatsBus::NatsSubscription final : public Subscription {
 public:
  NatsSubscription(std::weak_ptr<NatsBus*> bus, nats::SubscriptionId id)
      : bus_(std::move(bus)), id_(id) {}
  ~NatsSubscription() override {
    if (const auto bus = bus_.lock()) (*bus)->remove(id_);
  }

 private:
  std::weak_ptr<NatsBus*> bus_;
  nats::SubscriptionId id_;
};

NatsBus::NatsBus(event::Loop& loop, std::shared_ptr<nats::InboundQueue> queue, std::string inbox,
                 nats::ConnectionOptions options, BusLinks links)
    : loop_(loop),
      queue_(std::move(queue)),
      inbox_(std::move(inbox)),
      options_(std::move(options)),
      publisher_(std::move(links.publisher)),
      subscriber_(std::move(links.subscriber)),
      replies_(kMaxWaiting),
      expiry_(loop,
              [this] {
                replies_.expire(loop_.now());
                if (replies_.empty()) expiry_.cancel();
              }),
      prober_(loop, [this] { probe(); }),
      reopen_timer_(loop, [this] { reopen(); }) {
  watch_publisher();
  watch_subscriber();
  queue_->on_offer([this](nats::SubscriptionId id, const nats::Message& message) {
    return take_offer(id, message);
  });
  const auto on_answer =
      std::make_shared<MessageHandler>([this](const nats::Message& m) { deliver(m); });
  handlers_.emplace(kAnswersId, on_answer);
  handlers_.emplace(kBarrierId, on_answer);
  last_subscription_ = kBarrierId;
  subscriber_->subscribe(kBarrierId, barrier_subject_of(inbox_), "", false);
  prober_.start_every(kProbePeriod);
}

NatsBus::~NatsBus() {
  self_.reset();
  queue_->on_offer(nullptr);
  if (reopener_.joinable()) reopener_.join();
}

void NatsBus::watch_publisher() {
  publisher_->start();
  publisher_->on_lost([this] { on_publisher_lost(); });
}

void NatsBus::watch_subscriber() {
  subscriber_->start();
  subscriber_->on_change([this](bool connected) { on_subscriber(connected); });
}

SendResult NatsBus::publish(std::string_view subject, BytesView payload) {
  return publish_with_reply(subject, {}, payload);
}

SendResult NatsBus::publish_with_reply(std::string_view subject, std::string_view reply,
                                       BytesView payload) {
  const bool sent = ready_ && publisher_->publish({subject, reply, {}, payload});
  ++(sent ? stats_.published : stats_.publish_dropped);
  return sent ? SendResult::kSent : SendResult::kDropped;
}

void NatsBus::reply(std::string_view subject, BytesView payload) {
  publish(subject, payload);
}

std::unique_ptr<Subscription> NatsBus::add(std::string_view subject, std::string_view queue_group,
                                           Priority priority, MessageHandler handler) {
  const nats::SubscriptionId id = ++last_subscription_;
  handlers_.emplace(id, std::make_shared<MessageHandler>(std::move(handler)));
  subscriber_->subscribe(id, subject, queue_group, priority == Priority::kDroppable);
  return std::make_unique<NatsSubscription>(self_, id);
}

std::unique_ptr<Subscription> NatsBus::subscribe(std::string_view subject,
                                                 std::string_view queue_group, Priority priority,
                                                 Handler handler) {
  return add(subject, queue_group, priority,
             [handler = std::move(handler)](const nats::Message& message) {
               handler({message.subject(), message.reply(), message.payload()});
             });
}

std::unique_ptr<Subscription> NatsBus::subscribe_messages(std::string_view subject,
                                                          Priority priority,
                                                          MessageHandler handler) {
  return add(subject, {}, priority, std::move(handler));
}

void NatsBus::remove(nats::SubscriptionId id) {
  handlers_.erase(id);
  subscriber_->unsubscribe(id);
}

std::string NatsBus::new_inbox() {
  return inbox_ + ".own." + std::to_string(++last_inbox_);
}

void NatsBus::fail_later(Replies::Callback callback, Error error) {
  loop_.post(
      [self = std::weak_ptr(self_), callback = std::move(callback), error = std::move(error)] {
        if (!self.expired()) callback(tl::unexpected(error));
      });
}

std::string NatsBus::answers_subject(std::uint64_t number) const {
  return inbox_ + ".a." + std::to_string(number);
}

std::string NatsBus::barrier_subject(std::uint64_t number) const {
  return inbox_ + ".b." + std::to_string(number);
}

void NatsBus::deliver(const nats::Message& message) {
  const std::string_view text = message.subject().substr(inbox_.size() + 3);
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  replies_.deliver(number, message);
}

// 0: the callback will be told that it does not work.
std::uint64_t NatsBus::expect(Duration timeout, const Replies::Callback& callback) {
  const std::uint64_t number = replies_.add(loop_.now() + timeout, callback);
  if (number == 0) {
    fail_later(callback, {ErrorCode::kBusy, "too many requests wait for an answer"});
  } else if (!expiry_.is_scheduled()) {
    expiry_.start_every(kExpiryStep);
  }
  return number;
}

std::uint64_t NatsBus::wait_at_most(Duration timeout, std::function<void(Error)> callback) {
  return expect(timeout, [callback = std::move(callback)](Result<const nats::Message*> answer) {
    callback(answer.error());
  });
}

void NatsBus::ask(const Question& question, Replies::Callback callback) {
  if (!ready_) return fail_later(std::move(callback), not_connected());
  const std::uint64_t number = expect(question.timeout, callback);
  if (number == 0) return;
  const std::string reply = answers_subject(number);
  if (publisher_->publish({question.subject, reply, question.headers, question.payload})) {
    ++stats_.published;
    return;
  }
  ++stats_.publish_dropped;
  replies_.forget(number);
  fail_later(std::move(callback), {ErrorCode::kUnavailable, "the link to NATS is full"});
}

void NatsBus::request(std::string_view subject, BytesView payload, Duration timeout,
                      Reply callback) {
  ask({subject, {}, payload, timeout},
      [callback = std::move(callback)](Result<const nats::Message*> answer) {
        if (!answer) return callback(tl::unexpected(std::move(answer.error())));
        if ((*answer)->status() == nats::kNoResponders) {
          return callback(fail(ErrorCode::kUnavailable, "nobody answers this subject"));
        }
        callback(Bytes((*answer)->payload()));
      });
}

void NatsBus::after_subscriptions(Duration timeout, Done callback) {
  if (ready_) return pass_subscriptions(timeout, std::move(callback));
  fail_later([callback](auto answer) { callback(tl::unexpected(answer.error())); },
             not_connected());
}

void NatsBus::after_publishes(Duration timeout, Done callback) {
  if (ready_) return pass_publishes(timeout, std::move(callback));
  fail_later([callback](auto answer) { callback(tl::unexpected(answer.error())); },
             not_connected());
}

// A message to ourselves behind the subscriptions: the broker handles what one connection sends in
// order.
void NatsBus::pass_subscriptions(Duration timeout, Done callback) {
  const Replies::Callback on_answer = [callback](Result<const nats::Message*> answer) {
    callback(answer.map([](const nats::Message*) {}));
  };
  const std::uint64_t number = expect(timeout, on_answer);
  if (number == 0 || subscriber_->publish(barrier_subject(number), {})) return;
  replies_.forget(number);
  fail_later(on_answer, not_connected());
}

void NatsBus::pass_publishes(Duration timeout, Done callback) {
  const Replies::Callback on_answer = [callback](Result<const nats::Message*> answer) {
    callback(answer.map([](const nats::Message*) {}));
  };
  const std::uint64_t number = expect(timeout, on_answer);
  if (number == 0 || publisher_->publish({answers_subject(number), {}, {}, {}})) return;
  replies_.forget(number);
  fail_later(on_answer, not_connected());
}

void NatsBus::on_state(std::function<void(BusState)> listener) {
  listener_ = std::move(listener);
}

void NatsBus::set_state(BusState state) {
  if (listener_) listener_(state);
}

BusStats NatsBus::stats() const {
  BusStats stats = stats_;
  stats.waiting_requests = replies_.size();
  stats.backlog_bytes = publisher_->backlog_bytes();
  stats.waiting_messages = queue_->waiting() + backlog_.size();
  return stats;
}

// One gulp from the queue, but not more handlers in a turn than leave room for sockets and timers.
void NatsBus::drain() {
  continues_ = false;
  report_drops();
  if (backlog_.empty()) backlog_ = queue_->take();
  for (std::size_t n = 0; n < kMaxMessagesPerTurn && !backlog_.empty(); ++n) {
    const nats::InboundQueue::Item item = std::move(backlog_.front());
    backlog_.pop_front();
    dispatch(item.subscription, item.message);
  }
  // The queue wakes us only when it was empty, so what we left in it is ours to fetch.
  if (backlog_.empty()) backlog_ = queue_->take();
  backlogged_ = continues_ = !backlog_.empty();
  if (!continues_) return;
  loop_.post([self = std::weak_ptr(self_)] {
    if (const auto bus = self.lock()) (*bus)->drain();
  });
}

// What is read on the loop is handled where it lies, unless others wait or the turn has done
// enough.
bool NatsBus::take_offer(nats::SubscriptionId id, const nats::Message& message) {
  if (backlogged_) return false;
  if (taken_in_turn_++ == 0) {
    loop_.at_turn_end([self = std::weak_ptr(self_)] {
      if (const auto bus = self.lock()) (*bus)->taken_in_turn_ = 0;
    });
  }
  backlogged_ = taken_in_turn_ > kMaxMessagesPerTurn;
  if (backlogged_) return false;
  dispatch(id, message);
  return true;
}

void NatsBus::dispatch(nats::SubscriptionId id, const nats::Message& message) {
  const auto found = handlers_.find(id);
  if (found == handlers_.end()) return;  // unsubscribed while it was on its way
  ++stats_.received;
  const std::shared_ptr<MessageHandler> handler = found->second;  // may end itself
  (*handler)(message);
}

void NatsBus::report_drops() {
  const std::uint64_t dropped = queue_->take_dropped();
  if (dropped == 0) return;
  stats_.receive_dropped += dropped;
  MARTLET_LOG(warn, "bus_dropped messages={} reason=\"received faster than handled\"", dropped);
  set_state(BusState::kSlowConsumer);
}

void NatsBus::on_subscriber(bool connected) {
  if (connected) return rejoin();
  on_lost();
  reopen();
}

void NatsBus::on_publisher_lost() {
  on_lost();
  reopen();
}

void NatsBus::on_lost() {
  rejoining_ = false;
  lost_probes_ = 0;
  const bool was_ready = std::exchange(ready_, false);
  if (was_ready) MARTLET_LOG(warn, "bus_disconnected");
  replies_.fail_all({ErrorCode::kUnavailable, "the link to NATS broke"});
  if (was_ready) set_state(BusState::kDisconnected);
}

// Both links are up: when a message of ours to ourselves has passed behind the renewed
// subscriptions of each, all of them are back.
void NatsBus::rejoin() {
  if (ready_ || rejoining_ || !publisher_->is_connected() || !subscriber_->is_connected()) return;
  rejoining_ = true;
  pass_subscriptions(kRejoinTimeout, [this](Result<void> done) {
    if (!done) return rejoined(done);
    pass_publishes(kRejoinTimeout, [this](Result<void> done) {
      // The broker answers, but not there: that link is silently dead.
      if (!done && done.error().code == ErrorCode::kTimeout) publisher_->break_link();
      rejoined(done);
    });
  });
}

// On failure the next probe tries again.
void NatsBus::rejoined(Result<void> done) {
  rejoining_ = false;
  if (!done || ready_ || !publisher_->is_connected() || !subscriber_->is_connected()) return;
  ready_ = true;
  ++stats_.reconnects;
  MARTLET_LOG(info, "bus_reconnected");
  set_state(BusState::kReconnected);
}

// A message to ourselves. It finds a publishing link that is silently dead (the library must not
// ping there), and it is behind everything that the delivery thread had to do.
void NatsBus::probe() {
  if (subscriber_->is_closed() || !publisher_->is_connected()) return reopen();
  if (!ready_) return rejoin();
  const MonotonicTime sent = loop_.now();
  after_publishes(kProbeTimeout, [this, sent](Result<void> done) {
    if (done) {
      lost_probes_ = 0;
      subscriber_->free_unsubscribed(sent);
    } else if (done.error().code == ErrorCode::kTimeout && ++lost_probes_ == 2) {
      lost_probes_ = 0;
      MARTLET_LOG(warn, "bus_link_dead probe_timeout_ms={}", to_ms(kProbeTimeout));
      publisher_->break_link();
    }
  });
}

// What is of no use any more is opened anew, on a thread since that blocks, until the broker takes
// us: a publisher or a subscriber whose link broke, also one that the library gave up (after two
// refusals of the password, and after errors that it does not know).
void NatsBus::reopen() {
  const Wanted wanted{!publisher_->is_connected(), subscriber_->is_closed()};
  if (reopening_ || reopen_timer_.is_scheduled()) return;
  if (!wanted.publisher && !wanted.subscriber) return;
  if (ready_) on_lost();
  reopening_ = true;
  if (reopener_.joinable()) reopener_.join();
  reopener_ = std::thread([this, wanted, self = std::weak_ptr(self_)] {
    auto links =
        std::make_shared<Result<BusLinks>>(open_links(loop_, queue_, options_, inbox_, wanted));
    loop_.post([self, links] {
      if (const auto bus = self.lock()) (*bus)->on_reopened(std::move(*links));
    });
  });
}

void NatsBus::on_reopened(Result<BusLinks> links) {
  reopening_ = false;
  if (!links) {
    // Tried again soon; only what an operator has to mend is worth a line each time.
    if (links.error().code == ErrorCode::kForbidden) {
      MARTLET_LOG(warn, "bus_reopen_failed error=\"{}\"", links.error().detail);
    } else {
      MARTLET_LOG(debug, "bus_reopen_failed error=\"{}\"", links.error().detail);
    }
    reopen_timer_.start_once(jittered(options_.reconnect_wait));
    return;
  }
  if (links->subscriber) {
    subscriber_->copy_to(*links->subscriber);
    subscriber_ = std::move(links->subscriber);
    watch_subscriber();
  }
  if (links->publisher) {
    publisher_ = std::move(links->publisher);
    watch_publisher();
  }
  rejoin();
  reopen();  // the other one may have broken meanwhile
}

Result<std::unique_ptr<NatsBus>> connect(event::Loop& loop, const BusOptions& options) {
  nats::ConnectionOptions link;
  link.url = options.url;
  link.name = options.name;
  link.client = options.client;
  link.tls_ca = options.tls_ca;
  auto tls = nats::trust(link);
  if (!tls) return tl::unexpected(tls.error());
  link.tls = std::move(*tls);
  auto servers = nats::Servers::parse(options.url);
  if (!servers) return tl::unexpected(servers.error());
  link.servers = std::move(*servers);
  // The queue wakes a bus that does not exist yet, or no more.
  auto slot = std::make_shared<std::weak_ptr<NatsBus*>>();
  auto queue = std::make_shared<nats::InboundQueue>(options.queue, [&loop, slot] {
    loop.post([slot] {
      // What is left of an earlier gulp goes first, in a turn that is on its way.
      if (const auto bus = slot->lock(); bus && !(*bus)->continues_) (*bus)->drain();
    });
  });
  const std::string inbox = subject::inbox(options.role, base::to_hex(SystemRandom().bytes(12)));
  const SystemClock clock;
  const MonotonicTime deadline = clock.now() + options.wait;
  Result<BusLinks> links = open_links(loop, queue, link, inbox, {});
  while (!links && links.error().code == ErrorCode::kUnavailable && clock.now() < deadline) {
    std::this_thread::sleep_for(kConnectPause);
    links = open_links(loop, queue, link, inbox, {});
  }
  if (!links) {
    const auto wait_s = std::chrono::duration_cast<std::chrono::seconds>(options.wait).count();
    Error error = links.error();
    if (error.code == ErrorCode::kUnavailable) error.detail += fmt::format(" (tried {} s)", wait_s);
    return tl::unexpected(error);
  }
  const std::int64_t max_payload = links->publisher->max_payload();
  if (max_payload < static_cast<std::int64_t>(kMinServerPayloadBytes)) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("NATS at {} has max_payload {}, at least {} is needed",
                            nats::masked_url(options.url), max_payload, kMinServerPayloadBytes));
  }
  auto bus = std::make_unique<NatsBus>(loop, queue, inbox, link, std::move(*links));
  *slot = bus->self_;
  if (!bus->subscriber_->flush(link.connect_timeout)) {
    return fail(ErrorCode::kUnavailable, "NATS does not answer");
  }
  return bus;
}

}  // namespace martlet::bus
