#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "bus/nats_bus.h"
#include "bus/nats_log.h"
#include "dispatcher/dispatcher.h"
#include "event/loop.h"
#include "support/fake_database.h"
#include "support/nats_server.h"

// A dispatcher's surroundings on a real broker, all on one loop: leases that the test hands out, a
// persist that keeps everything in memory, and an edge whose users never give up.
namespace martlet::dispatcher::testing {

inline constexpr std::uint16_t kShards = 2;

std::unique_ptr<bus::NatsBus> connect(event::Loop& loop, const test::NatsServer& server,
                                      const std::string& name);

// The records of the leases, as the bucket would have them.
struct Records {
  std::map<ShardId, std::string> owners;
  std::map<ShardId, LogPosition> published;
  std::map<ShardId, LogPosition> reached;
  std::uint64_t revision = 0;
};

class HandedLeases final : public bus::Leases {
 public:
  HandedLeases(event::Loop& loop, Records& records, std::string name)
      : loop_(loop), records_(records), name_(std::move(name)) {}

  void start(bus::LeaseListener& listener) override { listener_ = &listener; }
  void stop(std::function<void()> on_done) override { on_done(); }
  void give_back(ShardId shard) override { records_.owners[shard].clear(); }
  void doubt(ShardId shard) override;
  void note_published(ShardId shard, LogPosition position) override;
  void note_reached(ShardId shard, LogPosition position) override;
  Duration renewal_age() const override { return Duration(0); }

  void hand_out(ShardId shard);

 private:
  event::Loop& loop_;
  Records& records_;
  const std::string name_;
  bus::LeaseListener* listener_ = nullptr;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

// A bus whose link can be told to have no room for publishes, or to keep its confirmations.
class NarrowBus final : public bus::Bus {
 public:
  explicit NarrowBus(bus::Bus& bus) : bus_(bus) {}

  bool is_full = false;
  bool keeps_confirmations = false;
  std::vector<Done> kept;

  bus::SendResult publish(std::string_view subject, BytesView payload) override {
    return is_full ? bus::SendResult::kDropped : bus_.publish(subject, payload);
  }
  std::unique_ptr<bus::Subscription> subscribe(std::string_view subject, std::string_view group,
                                               bus::Priority priority, Handler handler) override {
    return bus_.subscribe(subject, group, priority, std::move(handler));
  }
  void request(std::string_view subject, BytesView payload, Duration timeout,
               Reply callback) override {
    bus_.request(subject, payload, timeout, std::move(callback));
  }
  void reply(std::string_view subject, BytesView payload) override { bus_.reply(subject, payload); }
  void after_subscriptions(Duration timeout, Done callback) override {
    bus_.after_subscriptions(timeout, std::move(callback));
  }
  void after_publishes(Duration timeout, Done callback) override {
    if (keeps_confirmations) return kept.push_back(std::move(callback));
    bus_.after_publishes(timeout, std::move(callback));
  }
  void on_state(std::function<void(bus::BusState)> listener) override {
    bus_.on_state(std::move(listener));
  }
  bool is_connected() const override { return bus_.is_connected(); }

 private:
  bus::Bus& bus_;
};

// A dispatcher process, or what matters of one.
struct Node {
  Node(event::Loop& loop, const test::NatsServer& server, Records& records, std::string name,
       const DispatcherOptions& node_options);
  void own_all();
  bool serves_all() const { return dispatcher->shards_serving() == kShards; }

  DispatcherOptions options;
  metrics::Registry registry;
  DispatcherMetrics metrics{registry};
  std::unique_ptr<bus::NatsBus> bus;
  NarrowBus narrow;
  bus::NatsLog log;
  HandedLeases leases;
  std::unique_ptr<Dispatcher> dispatcher;
};

// Follows the logs, tells watermarks, answers what dispatchers ask.
class Persist {
 public:
  Persist(event::Loop& loop, const test::NatsServer& server);
  test::FakeDatabase& database(ShardId shard) { return databases_[shard.value()]; }
  void add_user(const std::string& name);
  void purge(ShardId shard);
  bool is_paused = false;

 private:
  struct Follower {
    std::unique_ptr<bus::LogReader> reader;
    bool is_reading = false;
  };
  void tick();
  void follow(std::uint16_t shard);

  event::Loop& loop_;
  std::unique_ptr<bus::NatsBus> bus_;
  bus::NatsLog log_;
  std::vector<test::FakeDatabase> databases_{kShards};
  std::vector<Follower> followers_{kShards};
  std::vector<std::unique_ptr<bus::Subscription>> subscriptions_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  event::Timer timer_;
};

// One connected edge with all users, each of which repeats what is not acknowledged.
class Edge {
 public:
  Edge(event::Loop& loop, const test::NatsServer& server);

  void send(const std::string& from, const std::string& to, const std::string& text);
  std::size_t unanswered() const { return pending_.size(); }
  std::size_t acknowledged() const { return acked_.size(); }
  std::size_t refused(ErrorCode code) const;

  struct Acked {
    ConversationId conversation;
    Seq seq;
    MessageId message_id;
  };
  const std::map<ClientMsgId, Acked>& acked() const { return acked_; }
  // How often each message was seen by each user.
  std::size_t seen(const std::string& user, const ClientMsgId& id) const;
  std::size_t messages_seen_by(const std::string& user) const;
  // Whether the user was told to sync, because of that conversation or as everybody.
  bool was_hinted(const std::string& user, const ConversationId& conversation) const {
    return all_hinted_ || hinted_.contains({user, conversation.str()});
  }
  bool were_all_hinted() const { return all_hinted_; }

 private:
  struct Pending {
    std::uint64_t number = 0;  // order of sending
    std::string from;
    std::string subject;
    Bytes body;
    WallMs first_sent_ms = 0;
    MonotonicTime repeat_at;
  };
  void publish(const ClientMsgId& id, Pending& pending);
  void on_answers(BytesView payload);
  void on_user(const std::string& user, BytesView payload);
  void repeat(bool all);

  event::Loop& loop_;
  SystemClock clock_;
  SeededRandom random_{1};
  std::unique_ptr<bus::NatsBus> bus_;
  std::vector<std::unique_ptr<bus::Subscription>> subscriptions_;
  std::map<ClientMsgId, Pending> pending_;
  std::map<std::pair<std::string, std::string>, ClientMsgId> last_sent_;
  std::map<ClientMsgId, Acked> acked_;
  std::map<ErrorCode, std::size_t> refusals_;
  std::map<std::pair<std::string, ClientMsgId>, std::size_t> seen_;
  std::map<std::uint16_t, std::pair<Generation, Epoch>> owners_;
  std::uint64_t count_ = 0;
  std::set<std::pair<std::string, std::string>> hinted_;
  bool all_hinted_ = false;
  event::Timer timer_;
};

}  // namespace martlet::dispatcher::testing
