#include "edge/user_channels.h"

#include <utility>

#include "base/assert.h"
#include "bus/subjects.h"

namespace martlet::edge {

SubjectPerUser::SubjectPerUser(bus::Bus& bus, TimerWheel& wheel, const Clock& clock,
                               Options options, Handler handler)
    : bus_(bus), wheel_(wheel), clock_(clock), options_(options), handler_(std::move(handler)) {}

void SubjectPerUser::attach(const UserId& user, Ready ready) {
  Channel& channel = open(user);
  ++channel.attached;
  TimerWheel::cancel(*channel.linger);
  if (channel.known) return ready({});
  waiting_.push_back({user, std::move(ready)});
  if (!asking_) ask();
}

SubjectPerUser::Channel& SubjectPerUser::open(const UserId& user) {
  const auto [found, is_new] = channels_.try_emplace(user);
  Channel& channel = found->second;
  if (!is_new) return channel;
  subscribe(user, channel);
  channel.linger = std::make_unique<TimerWheel::Entry>([this, user] { channels_.erase(user); });
  return channel;
}

// A subscription that it replaces ends after the new one has begun: what comes between the two
// comes twice, never not at all.
void SubjectPerUser::subscribe(const UserId& user, Channel& channel) {
  channel.subscribed_at = clock_.now();
  channel.subscription = bus_.subscribe(
      bus::subject::user(user), {}, bus::Priority::kDroppable,
      [this, user](const bus::Incoming& incoming) { handler_(user, incoming.payload); });
}

bool SubjectPerUser::renew(const UserId& user) {
  const auto found = channels_.find(user);
  MARTLET_ASSERT(found != channels_.end());
  if (clock_.now() - found->second.subscribed_at < options_.renew_every) return false;
  subscribe(user, found->second);
  return true;
}

// One question at a time serves all who came meanwhile: a storm of logins costs few of them.
void SubjectPerUser::ask() {
  asking_ = true;
  auto waiters = std::make_shared<std::vector<Waiter>>(std::exchange(waiting_, {}));
  bus_.after_subscriptions(options_.ready_timeout,
                           [this, waiters, alive = std::weak_ptr(alive_)](Result<void> result) {
                             if (!alive.expired()) on_confirmed(std::move(*waiters), result);
                           });
}

void SubjectPerUser::on_confirmed(std::vector<Waiter> waiters, const Result<void>& result) {
  asking_ = false;
  if (!waiting_.empty()) ask();
  for (Waiter& waiter : waiters) {
    const auto channel = channels_.find(waiter.user);
    if (result && channel != channels_.end()) channel->second.known = true;
    waiter.ready(result);
  }
}

void SubjectPerUser::detach(const UserId& user) {
  const auto found = channels_.find(user);
  MARTLET_ASSERT(found != channels_.end() && found->second.attached > 0);
  if (--found->second.attached > 0) return;
  wheel_.schedule(*found->second.linger, clock_.now() + options_.linger);
}

void SubjectPerUser::publish(const UserId& user, BytesView to_user) {
  bus_.publish(bus::subject::user(user), to_user);
}

}  // namespace martlet::edge
