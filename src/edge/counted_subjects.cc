#include "edge/counted_subjects.h"

#include <utility>

#include "base/assert.h"
#include "base/planted.h"

namespace martlet::edge {

void CountedSubjects::attach(const std::string& subject, Handler handler) {
  const auto [found, is_new] = channels_.try_emplace(subject);
  Channel& channel = found->second;
  ++channel.attached;
  if (!is_new) return TimerWheel::cancel(*channel.linger);
  channel.handler = std::move(handler);
  channel.linger =
      std::make_unique<TimerWheel::Entry>([this, subject] { channels_.erase(subject); });
  subscribe(subject, channel);
}

// A subscription that it replaces ends after the new one has begun: what comes between the two
// comes twice, never not at all.
void CountedSubjects::subscribe(const std::string& subject, Channel& channel) {
  channel.subscribed_at = clock_.now();
  channel.subscription = bus_.subscribe(
      subject, {}, bus::Priority::kDroppable,
      [handler = channel.handler](const bus::Incoming& incoming) { handler(incoming.payload); });
}

void CountedSubjects::await(const std::string& subject, Ready ready) {
  const auto found = channels_.find(subject);
  MARTLET_ASSERT(found != channels_.end());
  if (found->second.known) return ready({});
  waiting_.push_back({subject, std::move(ready)});
  if (!asking_) ask();
}

bool CountedSubjects::renew(const std::string& subject) {
  const auto found = channels_.find(subject);
  MARTLET_ASSERT(found != channels_.end());
  if (clock_.now() - found->second.subscribed_at < options_.renew_every) return false;
  subscribe(subject, found->second);
  return true;
}

// One question at a time serves all who came meanwhile: a storm of logins costs few of them.
void CountedSubjects::ask() {
  asking_ = true;
  auto waiters = std::make_shared<std::vector<Waiter>>(std::exchange(waiting_, {}));
  bus_.after_subscriptions(options_.ready_timeout,
                           [this, waiters, alive = std::weak_ptr(alive_)](Result<void> result) {
                             if (!alive.expired()) on_confirmed(std::move(*waiters), result);
                           });
}

void CountedSubjects::on_confirmed(std::vector<Waiter> waiters, const Result<void>& result) {
  asking_ = false;
  if (!waiting_.empty()) ask();
  for (Waiter& waiter : waiters) {
    const auto channel = channels_.find(waiter.subject);
    if (result && channel != channels_.end()) channel->second.known = true;
    waiter.ready(result);
  }
}

void CountedSubjects::detach(const std::string& subject) {
  const auto found = channels_.find(subject);
  MARTLET_ASSERT(found != channels_.end() && found->second.attached > 0);
  if (--found->second.attached > 0) {
    if (is_planted(Planted::kUnsubscribeEarly)) found->second.subscription.reset();
    return;
  }
  wheel_.schedule(*found->second.linger, clock_.now() + options_.linger);
}

}  // namespace martlet::edge
