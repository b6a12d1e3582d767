#include "edge/mover.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "bus/subjects.h"
#include "wire/events.h"
#include "wire/rpc.h"

namespace martlet::edge {

Mover::Mover(EdgeContext& context)
    : context_(context),
      next_balance_(context.clock.now() + context.random.jitter(context.options.rebalance, 0.5)) {}

void Mover::drain(Duration window) {
  draining_ = true;
  ask(true, [this, window](const std::vector<wire::Move>& moves) {
    begin(moves, MovePlan::Who::kEverybody, window);
  });
}

void Mover::tick(MonotonicTime now) {
  tell_due(now);
  if (draining_) return tell_late_comers();
  look_for_balance(now);
}

// Whoever asks while a plan is carried out would hear of what moves already.
void Mover::look_for_balance(MonotonicTime now) {
  const Duration period = context_.options.rebalance;
  if (period == Duration(0)) return;
  if (!plan_.is_done()) {
    next_balance_ = now + period;
    return;
  }
  if (asking_ || now < next_balance_) return;
  if (!is_steady()) {
    next_balance_ = now + kSteadyTime;
    return;
  }
  const bool in_vain = was_in_vain();
  next_balance_ = now + context_.random.jitter(period * (1U << in_vain_), 0.2);
  if (in_vain || context_.sessions.size() == 0) return;
  ask(false, [this](const std::vector<wire::Move>& moves) {
    if (moves.empty()) {
      in_vain_ = 0;
      next_balance_ = std::min(next_balance_, context_.clock.now() + context_.options.rebalance);
      return;
    }
    sessions_before_ = context_.sessions.size();
    begin(moves, MovePlan::Who::kAsManyAsMoves, context_.options.drain_window);
    sent_away_ = plan_.planned();
  });
}

// While clients pour in, what the api has heard of the others is older than what we count: every
// edge would seem to have more than its share.
bool Mover::is_steady() {
  const std::size_t now = context_.sessions.size();
  const std::optional<std::size_t> before = std::exchange(counted_, now);
  if (!before || static_cast<double>(now) > static_cast<double>(*before) * (1 + kSteadyGrowth)) {
    return false;
  }
  counted_.reset();
  return true;
}

// Whom we send away may come back: what stands before the edges counts otherwise than the api, or
// the others can't be reached. Then we ask less and less often.
bool Mover::was_in_vain() {
  const std::size_t away = std::exchange(sent_away_, 0);
  if (away == 0) return false;
  const bool in_vain = context_.sessions.size() + away / 2 > sessions_before_;
  in_vain_ = in_vain ? std::min(in_vain_ + 1, kMostDoublings) : 0;
  return in_vain;
}

void Mover::ask(bool draining, std::function<void(std::vector<wire::Move>)> then) {
  asking_ = true;
  const wire::MovesQuestion question{context_.identity.id, std::uint32_t(context_.sessions.size()),
                                     draining};
  context_.bus.request(bus::subject::rpc_moves(), wire::encode(question), kMovesTimeout,
                       [this, question = ++questions_, then = std::move(then),
                        alive = std::weak_ptr<int>(alive_)](const Result<Bytes>& reply) {
                         // One that was asked before the edge began to stop is of no use any more.
                         if (alive.expired() || question != questions_) return;
                         asking_ = false;
                         auto answer = reply ? wire::parse_moves_answer(*reply)
                                             : fail(ErrorCode::kUnavailable);
                         then(answer ? std::move(answer->moves) : std::vector<wire::Move>());
                       });
}

void Mover::begin(const std::vector<wire::Move>& moves, MovePlan::Who who, Duration window) {
  std::vector<SessionId> sessions;
  for (ClientLink* link : context_.sessions.all()) sessions.push_back(link->session().id());
  const MonotonicTime now = context_.clock.now();
  plan_.start(std::move(sessions), moves, who, window, context_.random, now);
  if (plan_.is_done()) return tell_due(now);
  MARTLET_LOG(info, "moving_sessions count={} of={} to_addresses={} draining={}", plan_.planned(),
              context_.sessions.size(), moves.size(), draining_);
  tell_due(now);
}

void Mover::tell_due(MonotonicTime now) {
  for (const MovePlan::Told& told : plan_.due(now)) {
    ClientLink* link = context_.sessions.find(told.session);
    if (link == nullptr) continue;
    if (draining_) told_.insert(told.session);
    tell(*link, told.to);
  }
  if (draining_ && !asking_ && !told_all_at_ && plan_.is_done()) told_all_at_ = now;
}

// Those who authenticated after the plan was made.
void Mover::tell_late_comers() {
  if (!told_all_at_) return;
  for (ClientLink* link : context_.sessions.all()) {
    if (told_.insert(link->session().id()).second) tell(*link, {});
  }
}

// At once: the edge has spread them.
void Mover::tell(ClientLink& link, std::string_view to) {
  context_.metrics.moved(draining_);
  link.notify(wire::Command::ReconnectEvent,
              wire::encode(wire::ReconnectEvent{.to = to, .within_ms = 0}));
}

}  // namespace martlet::edge
