#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "base/random.h"
#include "bus/bus.h"
#include "bus/replies.h"
#include "event/loop.h"
#include "lib/nats/inbound_queue.h"
#include "lib/nats/options.h"
#include "lib/nats/publisher.h"
#include "lib/nats/subscriber.h"

namespace martlet::bus {

struct BusOptions {
  std::string url;
  std::string name;  // of the process, for the broker's monitoring
  // How long connect() tries.
  Duration wait = std::chrono::seconds(10);
  nats::Client client = nats::Client::kNative;
  std::string tls_ca;  // PEM; empty: whom the system trusts
  nats::QueueLimits queue;
  // The kind of service: answers come on inboxes of this role alone. One token of a subject.
  std::string role = "martlet";
};

// Of the names that nats.client can have.
inline nats::Client client_named(std::string_view name) {
  return name == "cnats" ? nats::Client::kLibrary : nats::Client::kNative;
}

struct BusStats {
  std::uint64_t published = 0;
  std::uint64_t publish_dropped = 0;
  std::uint64_t received = 0;
  std::uint64_t receive_dropped = 0;
  std::uint64_t reconnects = 0;
  std::size_t waiting_requests = 0;
  std::size_t backlog_bytes = 0;     // published, not yet taken by the socket
  std::size_t waiting_messages = 0;  // received, not yet handled
};

// Null: not asked for.
struct BusLinks {
  std::unique_ptr<nats::Publisher> publisher;
  std::unique_ptr<nats::Subscriber> subscriber;
};

// A question to the broker itself (JetStream), with headers.
struct Question {
  std::string_view subject;
  std::span<const nats::Header> headers;
  BytesView payload;
  Duration timeout{};
};

// The Bus on two connections to NATS, one to publish and one to receive, so that a full socket
// never keeps us from reading. Both must be up; when one goes, the bus counts as disconnected until
// both are back and all subscriptions are known to the broker again.
//
// Loop thread; the loop outlives it. No handler may destroy it. When it is destroyed, callbacks
// that wait are not called.
class NatsBus final : public Bus {
 public:
  NatsBus(event::Loop& loop, std::shared_ptr<nats::InboundQueue> queue, std::string inbox,
          nats::ConnectionOptions options, BusLinks links);
  ~NatsBus() override;
  NatsBus(const NatsBus&) = delete;
  NatsBus& operator=(const NatsBus&) = delete;

  SendResult publish(std::string_view subject, BytesView payload) override;
  std::unique_ptr<Subscription> subscribe(std::string_view subject, std::string_view queue_group,
                                          Priority priority, Handler handler) override;
  void request(std::string_view subject, BytesView payload, Duration timeout,
               Reply callback) override;
  void reply(std::string_view subject, BytesView payload) override;
  void after_subscriptions(Duration timeout, Done callback) override;
  void after_publishes(Duration timeout, Done callback) override;
  void on_state(std::function<void(BusState)> listener) override;
  bool is_connected() const override { return ready_; }

  // For what is built on the broker's own services (log, key-value): the answer with its headers
  // and status (503: no responders). Exactly one call; kTimeout, kUnavailable (not connected, link
  // lost), kBusy.
  void ask(const Question& question, Replies::Callback callback);
  // The same for subscriptions and publishes.
  using MessageHandler = std::function<void(const nats::Message&)>;
  std::unique_ptr<Subscription> subscribe_messages(std::string_view subject, Priority priority,
                                                   MessageHandler handler);
  SendResult publish_with_reply(std::string_view subject, std::string_view reply,
                                BytesView payload);
  // Calls back unless stop_waiting comes first: kTimeout, kUnavailable (link lost). The number is
  // for stop_waiting.
  std::uint64_t wait_at_most(Duration timeout, std::function<void(Error)> callback);
  void stop_waiting(std::uint64_t number) { replies_.forget(number); }
  // A subject of our own that nobody else uses.
  std::string new_inbox();

  event::Loop& loop() { return loop_; }
  BusStats stats() const;

 private:
  friend Result<std::unique_ptr<NatsBus>> connect(event::Loop& loop, const BusOptions& options);
  class NatsSubscription;

  std::unique_ptr<Subscription> add(std::string_view subject, std::string_view queue_group,
                                    Priority priority, MessageHandler handler);
  void remove(nats::SubscriptionId id);
  void drain();
  bool take_offer(nats::SubscriptionId id, const nats::Message& message);
  void dispatch(nats::SubscriptionId id, const nats::Message& message);
  void report_drops();
  void fail_later(Replies::Callback callback, Error error);
  std::uint64_t expect(Duration timeout, const Replies::Callback& callback);
  std::string answers_subject(std::uint64_t number) const;
  std::string barrier_subject(std::uint64_t number) const;
  void deliver(const nats::Message& message);

  void on_subscriber(bool connected);
  void on_publisher_lost();
  void on_lost();
  void rejoin();
  void rejoined(Result<void> done);
  void pass_subscriptions(Duration timeout, Done callback);
  void pass_publishes(Duration timeout, Done callback);
  void probe();
  void reopen();
  void on_reopened(Result<BusLinks> links);
  void watch_publisher();
  void watch_subscriber();
  void set_state(BusState state);

  event::Loop& loop_;
  std::shared_ptr<nats::InboundQueue> queue_;
  const std::string inbox_;
  const nats::ConnectionOptions options_;
  std::unique_ptr<nats::Publisher> publisher_;
  std::unique_ptr<nats::Subscriber> subscriber_;
  Replies replies_;
  std::unordered_map<nats::SubscriptionId, std::shared_ptr<MessageHandler>> handlers_;
  nats::SubscriptionId last_subscription_ = 0;
  std::uint64_t last_inbox_ = 0;
  std::deque<nats::InboundQueue::Item> backlog_;  // taken from the queue, not yet handled
  bool backlogged_ = false;                       // something waits there or in the queue
  bool continues_ = false;                        // a drain is posted
  std::size_t taken_in_turn_ = 0;                 // of what was offered
  std::function<void(BusState)> listener_;
  bool ready_ = true;
  bool rejoining_ = false;
  std::thread reopener_;  // connecting blocks; at most one at a time
  bool reopening_ = false;
  int lost_probes_ = 0;
  BusStats stats_;
  event::Timer expiry_;
  event::Timer prober_;
  event::Timer reopen_timer_;
  // Posted tasks and subscriptions outlive the bus; they look here first.
  std::shared_ptr<NatsBus*> self_ = std::make_shared<NatsBus*>(this);
};

// Blocks until the broker answers, options.wait at most: for start-up. Errors are one line for
// people: not reachable, wrong password, a max_payload below what we need.
Result<std::unique_ptr<NatsBus>> connect(event::Loop& loop, const BusOptions& options);

}  // namespace martlet::bus
