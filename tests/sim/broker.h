#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "bus/bus.h"
#include "sim/scheduler.h"

namespace martlet::sim {

class Broker;
struct Link;
using LinkPtr = std::shared_ptr<Link>;

struct BrokerMessage {
  std::string subject;
  std::string reply;
  std::shared_ptr<const Bytes> payload;
};

struct Interest {
  std::string pattern;
  std::string queue_group;
  bus::Priority priority = bus::Priority::kDroppable;
  bus::Bus::Handler handler;
  std::weak_ptr<Link> link;
  bool active = false;  // the server of the link knows it
  bool ended = false;
  std::vector<MonotonicTime> visible_from;  // at each server
};
using InterestPtr = std::shared_ptr<Interest>;

// One process's connections to the broker: one to publish, one to receive, as src/bus/nats_bus.h
// has them. In order along each, without order between them.
struct Link {
  std::uint64_t number = 0;
  LanePtr lane;
  std::size_t server = 0;
  bool up = true;
  bool closed = false;      // its process is gone
  std::uint64_t epoch = 0;  // grows when it breaks; what was on its way is lost
  MonotonicTime publishes{}, subscribes{}, receives{};  // arrival of the last thing on each way
  std::size_t pending = 0;                              // received, not yet handled
  bool dropped = false;                                 // some of that, since the last report
  std::size_t drop_events = 0;                          // the next so many that may be lost are
  std::size_t lose_silently = 0;                        // likewise, and the process is not told
  std::size_t lose_watermarks = 0;                      // likewise: what persist announces
  std::size_t lose_answers = 0;                         // of the next questions to JetStream
  std::size_t delay_answers = 0;  // the next so many questions reach JetStream late
  std::vector<InterestPtr> interests;
  std::uint64_t last_question = 0;
  std::map<std::uint64_t, std::function<void(Error)>> questions;  // open, with what ends them
  std::map<std::uint64_t, bus::Bus::Reply> requests;              // of them, those of Bus::request
  std::function<void(bus::BusState)> listener;
};

// NATS as its clients see it (design, section 9): at most once, in order along each connection and
// no further; interest spreads late between servers; who does not keep up loses what may be lost;
// a paused server holds everything, a dead one loses what was on its way.
class Broker {
 public:
  explicit Broker(std::size_t servers);

  LinkPtr open(const LanePtr& lane);
  // Its process died or stopped: what it sent is still delivered.
  void close(const LinkPtr& link);

  bus::SendResult publish(const LinkPtr& link, BrokerMessage message);
  void subscribe(const LinkPtr& link, const InterestPtr& interest);
  void unsubscribe(const InterestPtr& interest);
  // What passes the broker after everything published, or subscribed, before.
  void pass(const LinkPtr& link, bool publishes, Duration timeout, bus::Bus::Done callback);
  void request(const LinkPtr& link, std::string subject, BytesView payload, Duration timeout,
               bus::Bus::Reply callback);

  // A question to JetStream: work runs at the server; the task that it gives to answer() runs at
  // the process. One of both: that task, or failed(kTimeout, kUnavailable).
  using Answer = std::function<void(Task)>;
  void ask(const LinkPtr& link, Duration timeout, std::function<void(const Answer&)> work,
           std::function<void(Error)> failed);

  // ---- faults
  std::size_t servers() const { return servers_.size(); }
  bool is_up(std::size_t server) const { return !servers_[server]->dead; }
  void kill(std::size_t server);
  void start(std::size_t server);
  void pause(std::size_t server) { servers_[server]->paused = true; }
  void resume(std::size_t server) { Scheduler::get().resume(servers_[server]); }
  void cut(const LinkPtr& link, Duration time);
  const std::vector<LinkPtr>& links() const { return links_; }
  // JetStream answers nobody until then: an election.
  void elect(Duration time) { electing_until_ = Scheduler::get().now() + time; }

  // Sees every message that is routed, for checkers of what the broker sees.
  std::function<void(const BrokerMessage&)> tap;

 private:
  MonotonicTime arrival(MonotonicTime& last) const;
  void route(std::size_t server, const BrokerMessage& message);
  std::vector<InterestPtr> match(std::size_t server, const std::string& subject);
  void deliver(const InterestPtr& interest, const BrokerMessage& message);
  // payload null: nobody listens.
  void answer_request(const std::string& inbox, std::shared_ptr<const Bytes> payload);
  void handle(const LinkPtr& link, const InterestPtr& interest, const BrokerMessage& message);
  void activate(const LinkPtr& link, const InterestPtr& interest);
  void index(const InterestPtr& interest);
  void break_link(const LinkPtr& link);
  void rejoin(const LinkPtr& link);
  std::uint64_t expect(const LinkPtr& link, Duration timeout, std::function<void(Error)> failed);
  bool finish(const LinkPtr& link, std::uint64_t question);
  void fail_soon(const LinkPtr& link, std::uint64_t question);

  std::vector<LanePtr> servers_;
  std::uint64_t last_link_ = 0;
  std::vector<LinkPtr> links_;  // ascending by number
  std::unordered_map<std::string, std::vector<InterestPtr>> literal_;
  std::vector<InterestPtr> wildcards_;
  std::map<std::string, std::size_t> turns_;  // of queue groups
  MonotonicTime electing_until_{};
};

// A process's end.
class SimBus final : public bus::Bus {
 public:
  SimBus(Broker& broker, LinkPtr link) : broker_(broker), link_(std::move(link)) {}

  bus::SendResult publish(std::string_view subject, BytesView payload) override;
  std::unique_ptr<bus::Subscription> subscribe(std::string_view subject,
                                               std::string_view queue_group, bus::Priority priority,
                                               Handler handler) override;
  void request(std::string_view subject, BytesView payload, Duration timeout,
               Reply callback) override;
  void reply(std::string_view subject, BytesView payload) override { publish(subject, payload); }
  void after_subscriptions(Duration timeout, Done callback) override;
  void after_publishes(Duration timeout, Done callback) override;
  void on_state(std::function<void(bus::BusState)> listener) override;
  bool is_connected() const override { return link_->up; }

 private:
  Broker& broker_;
  LinkPtr link_;
};

}  // namespace martlet::sim
