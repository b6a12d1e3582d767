#include "sim/broker.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/assert.h"
#include "support/memory_bus.h"

namespace martlet::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Duration kMinDelay = microseconds(30);
constexpr Duration kMaxDelay = microseconds(600);
constexpr Duration kMaxInterestDelay = milliseconds(300);  // between servers
constexpr Duration kMaxLateQuestion = std::chrono::seconds(5);
constexpr std::size_t kMaxPending = 300;
constexpr std::string_view kWatermarks = "im.wm.";
constexpr std::string_view kInbox = "_INBOX.";

Scheduler& scheduler() {
  return Scheduler::get();
}

Error unavailable() {
  return {ErrorCode::kUnavailable, "no broker"};
}

std::string inbox_of(const Link& link, std::uint64_t question) {
  return std::string(kInbox) + std::to_string(link.number) + "." + std::to_string(question);
}

// The link's number and the question's.
std::pair<std::uint64_t, std::uint64_t> parse_inbox(std::string_view inbox) {
  inbox.remove_prefix(kInbox.size());
  const std::size_t dot = inbox.find('.');
  std::pair<std::uint64_t, std::uint64_t> result;
  std::from_chars(inbox.data(), inbox.data() + dot, result.first);
  std::from_chars(inbox.data() + dot + 1, inbox.data() + inbox.size(), result.second);
  return result;
}

// Nothing if it was answered before.
void end_question(Link& link, std::uint64_t question, const Error& error) {
  const auto found = link.questions.find(question);
  if (found == link.questions.end()) return;
  const auto end = std::move(found->second);
  link.questions.erase(found);
  link.requests.erase(question);
  end(error);
}

}  // namespace

Broker::Broker(std::size_t servers) {
  for (std::size_t i = 0; i < servers; ++i) {
    servers_.push_back(std::make_shared<Lane>(Lane{.name = "nats-" + std::to_string(i)}));
  }
}

MonotonicTime Broker::arrival(MonotonicTime& last) const {
  last = std::max(last, scheduler().now() + scheduler().between(kMinDelay, kMaxDelay));
  return last;
}

LinkPtr Broker::open(const LanePtr& lane) {
  auto link = std::make_shared<Link>();
  link->number = ++last_link_;
  link->lane = lane;
  link->server = scheduler().random().below(servers_.size());
  link->up = is_up(link->server);
  links_.push_back(link);
  if (!link->up) rejoin(link);
  return link;
}

void Broker::close(const LinkPtr& link) {
  link->closed = true;
  link->up = false;
  link->listener = nullptr;
  link->questions.clear();
  link->requests.clear();
  for (const InterestPtr& interest : std::exchange(link->interests, {})) {
    interest->ended = true;
    unsubscribe(interest);
  }
  std::erase(links_, link);
}

// ---- publish ---------------------------------------------------------------------------------

bus::SendResult Broker::publish(const LinkPtr& link, BrokerMessage message) {
  if (!link->up) return bus::SendResult::kDropped;
  scheduler().at(arrival(link->publishes), servers_[link->server],
                 [this, link, epoch = link->epoch, message = std::move(message)] {
                   if (link->epoch == epoch) route(link->server, message);
                 });
  return bus::SendResult::kSent;
}

void Broker::route(std::size_t server, const BrokerMessage& message) {
  if (tap) tap(message);
  if (message.subject.starts_with(kInbox)) return answer_request(message.subject, message.payload);
  const std::vector<InterestPtr> found = match(server, message.subject);
  if (found.empty() && !message.reply.empty()) return answer_request(message.reply, nullptr);
  std::map<std::string, std::vector<InterestPtr>> groups;
  for (const InterestPtr& interest : found) {
    if (interest->queue_group.empty()) {
      deliver(interest, message);
    } else {
      groups[interest->queue_group].push_back(interest);
    }
  }
  for (const auto& [name, members] : groups) {
    deliver(members[turns_[name]++ % members.size()], message);
  }
}

std::vector<InterestPtr> Broker::match(std::size_t server, const std::string& subject) {
  std::vector<InterestPtr> found;
  const auto add = [&](const std::vector<InterestPtr>& all, bool matched) {
    for (const InterestPtr& interest : all) {
      const bool seen = interest->active && scheduler().now() >= interest->visible_from[server];
      if (seen && (matched || test::subject_matches(interest->pattern, subject))) {
        found.push_back(interest);
      }
    }
  };
  if (const auto literal = literal_.find(subject); literal != literal_.end()) {
    add(literal->second, true);
  }
  add(wildcards_, false);
  return found;
}

void Broker::deliver(const InterestPtr& interest, const BrokerMessage& message) {
  const LinkPtr link = interest->link.lock();
  if (!link || link->closed) return;
  if (link->lose_watermarks > 0 && message.subject.starts_with(kWatermarks)) {
    --link->lose_watermarks;
    scheduler().coverage().add("announcement lost, untold");
    return;
  }
  const bool may_be_lost = interest->priority == bus::Priority::kDroppable;
  if (may_be_lost && link->lose_silently > 0) {
    --link->lose_silently;
    scheduler().coverage().add("event lost, untold");
    return;
  }
  if (may_be_lost && (link->pending >= kMaxPending || link->drop_events > 0)) {
    link->drop_events -= link->drop_events > 0 ? 1 : 0;
    scheduler().coverage().add("event dropped, told");
    if (!std::exchange(link->dropped, true)) handle(link, nullptr, {});
    return;
  }
  handle(link, interest, message);
}

// At the process; without an interest it is only told what was dropped.
void Broker::handle(const LinkPtr& link, const InterestPtr& interest,
                    const BrokerMessage& message) {
  ++link->pending;
  scheduler().at(arrival(link->receives), link->lane,
                 [link, epoch = link->epoch, interest, message] {
                   --link->pending;
                   if (link->epoch != epoch || link->closed) return;
                   if (interest && !interest->ended) {
                     interest->handler({message.subject, message.reply, *message.payload});
                   }
                   if (std::exchange(link->dropped, false) && link->listener) {
                     scheduler().coverage().add("path: slow consumer");
                     link->listener(bus::BusState::kSlowConsumer);
                   }
                 });
}

// ---- requests --------------------------------------------------------------------------------

std::uint64_t Broker::expect(const LinkPtr& link, Duration timeout,
                             std::function<void(Error)> failed) {
  const std::uint64_t question = ++link->last_question;
  link->questions.emplace(question, std::move(failed));
  scheduler().after(timeout, link->lane, [link, question] {
    end_question(*link, question, {ErrorCode::kTimeout, "no answer"});
  });
  return question;
}

bool Broker::finish(const LinkPtr& link, std::uint64_t question) {
  return link->questions.erase(question) > 0;
}

void Broker::request(const LinkPtr& link, std::string subject, BytesView payload, Duration timeout,
                     bus::Bus::Reply callback) {
  const std::uint64_t question =
      expect(link, timeout, [callback](const Error& error) { callback(tl::unexpected(error)); });
  if (!link->up) return fail_soon(link, question);
  link->requests.emplace(question, std::move(callback));
  publish(link,
          {std::move(subject), inbox_of(*link, question), std::make_shared<const Bytes>(payload)});
}

void Broker::answer_request(const std::string& inbox, std::shared_ptr<const Bytes> payload) {
  const auto [number, question] = parse_inbox(inbox);
  const auto found = std::lower_bound(
      links_.begin(), links_.end(), number,
      [](const LinkPtr& link, std::uint64_t wanted) { return link->number < wanted; });
  if (found == links_.end() || (*found)->number != number) return;
  const LinkPtr& link = *found;
  scheduler().at(
      arrival(link->receives), link->lane,
      [this, link, epoch = link->epoch, question = question, payload = std::move(payload)] {
        const auto request = link->requests.find(question);
        if (link->epoch != epoch || request == link->requests.end()) return;
        finish(link, question);
        const bus::Bus::Reply callback = std::move(request->second);
        link->requests.erase(request);
        payload ? callback(*payload) : callback(tl::unexpected(unavailable()));
      });
}

void Broker::pass(const LinkPtr& link, bool publishes, Duration timeout, bus::Bus::Done callback) {
  const std::uint64_t question =
      expect(link, timeout, [callback](const Error& error) { callback(tl::unexpected(error)); });
  if (!link->up) return fail_soon(link, question);
  MonotonicTime& way = publishes ? link->publishes : link->subscribes;
  scheduler().at(arrival(way), servers_[link->server],
                 [this, link, epoch = link->epoch, question, callback = std::move(callback)] {
                   scheduler().at(arrival(link->receives), link->lane,
                                  [this, link, epoch, question, callback] {
                                    if (link->epoch == epoch && finish(link, question))
                                      callback({});
                                  });
                 });
}

void Broker::ask(const LinkPtr& link, Duration timeout, std::function<void(const Answer&)> work,
                 std::function<void(Error)> failed) {
  const std::uint64_t question = expect(link, timeout, std::move(failed));
  if (!link->up) return fail_soon(link, question);
  const Answer answer = [this, link, epoch = link->epoch, question](Task task) {
    if (link->closed || link->epoch != epoch) return;
    scheduler().at(arrival(link->receives), link->lane,
                   [this, link, epoch, question, task = std::move(task)] {
                     if (link->epoch == epoch && finish(link, question)) task();
                   });
  };
  const bool lost = link->lose_answers > 0;
  if (lost) --link->lose_answers;
  MonotonicTime at = arrival(link->publishes);
  if (link->delay_answers > 0) {
    --link->delay_answers;
    at += scheduler().between(Duration(0), kMaxLateQuestion);
  }
  scheduler().at(
      at, servers_[link->server],
      [this, link, epoch = link->epoch, question, work = std::move(work), answer, lost] {
        if (link->epoch != epoch || scheduler().now() < electing_until_) return;
        if (lost) scheduler().coverage().add("answer of JetStream lost");
        if (!link->closed && !link->questions.contains(question)) {
          scheduler().coverage().add("question reached JetStream after its author gave up");
        }
        work(lost ? [](const Task&) {} : answer);
      });
}

void Broker::fail_soon(const LinkPtr& link, std::uint64_t question) {
  scheduler().after(Duration(0), link->lane,
                    [link, question] { end_question(*link, question, unavailable()); });
}

// ---- interest --------------------------------------------------------------------------------

void Broker::subscribe(const LinkPtr& link, const InterestPtr& interest) {
  interest->link = link;
  link->interests.push_back(interest);
  if (link->up) activate(link, interest);
}

void Broker::activate(const LinkPtr& link, const InterestPtr& interest) {
  scheduler().at(arrival(link->subscribes), servers_[link->server],
                 [this, link, epoch = link->epoch, interest] {
                   if (link->epoch != epoch || link->closed || interest->ended) return;
                   interest->active = true;
                   interest->visible_from.resize(servers_.size());
                   for (std::size_t i = 0; i < servers_.size(); ++i) {
                     interest->visible_from[i] = scheduler().now();
                     if (i != link->server) {
                       interest->visible_from[i] +=
                           scheduler().between(Duration(0), kMaxInterestDelay);
                     }
                   }
                   index(interest);
                 });
}

void Broker::index(const InterestPtr& interest) {
  const bool wild = interest->pattern.find_first_of("*>") != std::string::npos;
  auto& all = wild ? wildcards_ : literal_[interest->pattern];
  if (std::find(all.begin(), all.end(), interest) == all.end()) all.push_back(interest);
}

// The process takes nothing of it any more; the server learns it a little later.
void Broker::unsubscribe(const InterestPtr& interest) {
  interest->ended = true;
  const LinkPtr link = interest->link.lock();
  if (link) std::erase(link->interests, interest);
  scheduler().after(kMaxDelay, nullptr, [this, interest] {
    interest->active = false;
    std::erase(wildcards_, interest);
    const auto found = literal_.find(interest->pattern);
    if (found == literal_.end()) return;
    std::erase(found->second, interest);
    if (found->second.empty()) literal_.erase(found);
  });
}

// ---- faults ----------------------------------------------------------------------------------

void Broker::break_link(const LinkPtr& link) {
  if (!link->up) return;
  link->up = false;
  ++link->epoch;
  for (const InterestPtr& interest : link->interests) interest->active = false;
  link->requests.clear();
  scheduler().after(scheduler().between(kMinDelay, milliseconds(50)), link->lane, [link] {
    if (link->closed) return;
    if (link->listener) link->listener(bus::BusState::kDisconnected);
    while (!link->questions.empty()) {
      end_question(*link, link->questions.begin()->first, unavailable());
    }
  });
}

// Tries until a server takes it.
void Broker::rejoin(const LinkPtr& link) {
  if (link->closed || link->up) return;
  const std::size_t server = scheduler().random().below(servers_.size());
  if (servers_[server]->dead || link->lane->paused) {
    return scheduler().after(scheduler().between(milliseconds(50), milliseconds(200)), nullptr,
                             [this, link] { rejoin(link); });
  }
  link->server = server;
  link->up = true;
  for (const InterestPtr& interest : link->interests) activate(link, interest);
  scheduler().at(link->subscribes + kMaxDelay, link->lane, [link, epoch = link->epoch] {
    if (!link->closed && link->epoch == epoch && link->listener) {
      scheduler().coverage().add("path: reconnected to the broker");
      link->listener(bus::BusState::kReconnected);
    }
  });
}

void Broker::cut(const LinkPtr& link, Duration time) {
  break_link(link);
  scheduler().after(time, nullptr, [this, link] { rejoin(link); });
}

void Broker::kill(std::size_t server) {
  servers_[server]->dead = true;
  for (const LinkPtr& link : std::vector(links_)) {
    if (link->up && link->server == server)
      cut(link, scheduler().between(kMinDelay, milliseconds(100)));
  }
}

void Broker::start(std::size_t server) {
  servers_[server] = std::make_shared<Lane>(Lane{.name = servers_[server]->name});
}

// ---- a process's end -------------------------------------------------------------------------

namespace {

class SimSubscription final : public bus::Subscription {
 public:
  SimSubscription(Broker& broker, InterestPtr interest)
      : broker_(broker), interest_(std::move(interest)) {}
  ~SimSubscription() override { broker_.unsubscribe(interest_); }
  SimSubscription(const SimSubscription&) = delete;
  SimSubscription& operator=(const SimSubscription&) = delete;

 private:
  Broker& broker_;
  InterestPtr interest_;
};

}  // namespace

bus::SendResult SimBus::publish(std::string_view subject, BytesView payload) {
  return broker_.publish(link_, {std::string(subject), {}, std::make_shared<const Bytes>(payload)});
}

std::unique_ptr<bus::Subscription> SimBus::subscribe(std::string_view subject,
                                                     std::string_view queue_group,
                                                     bus::Priority priority, Handler handler) {
  auto interest = std::make_shared<Interest>();
  interest->pattern = subject;
  interest->queue_group = queue_group;
  interest->priority = priority;
  interest->handler = std::move(handler);
  broker_.subscribe(link_, interest);
  return std::make_unique<SimSubscription>(broker_, interest);
}

void SimBus::request(std::string_view subject, BytesView payload, Duration timeout,
                     Reply callback) {
  broker_.request(link_, std::string(subject), payload, timeout, std::move(callback));
}

void SimBus::after_subscriptions(Duration timeout, Done callback) {
  broker_.pass(link_, false, timeout, std::move(callback));
}

void SimBus::after_publishes(Duration timeout, Done callback) {
  broker_.pass(link_, true, timeout, std::move(callback));
}

void SimBus::on_state(std::function<void(bus::BusState)> listener) {
  link_->listener = std::move(listener);
}

}  // namespace martlet::sim
