#include "edge/mover.h"

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
  if (draining_) return tell_late_comers(now);
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
  next_balance_ = now + context_.random.jitter(period, 0.2);
  if (context_.sessions.size() == 0) return;
  ask(false, [this](const std::vector<wire::Move>& moves) {
    if (!moves.empty()) begin(moves, MovePlan::Who::kAsManyAsMoves, context_.options.drain_window);
  });
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
  MARTLET_LOG(info, "moving_sessions count={} of={} to_addresses={} draining={}", plan_.waiting(),
              context_.sessions.size(), moves.size(), draining_);
  tell_due(now);
}

// At once: the edge has spread them.
void Mover::tell_due(MonotonicTime now) {
  for (const MovePlan::Told& told : plan_.due(now)) {
    ClientLink* link = context_.sessions.find(told.session);
    if (link == nullptr) continue;
    context_.metrics.moved(draining_);
    link->notify(wire::Command::ReconnectEvent,
                 wire::encode(wire::ReconnectEvent{.to = told.to, .within_ms = 0}));
  }
  if (!draining_ || asking_ || told_all_at_ || !plan_.is_done()) return;
  told_all_at_ = now;
  next_reminder_ = now + kMoveReminder;
}

// Those who authenticated after the plan was made, and those who did not go.
void Mover::tell_late_comers(MonotonicTime now) {
  if (!told_all_at_ || now < next_reminder_) return;
  next_reminder_ = now + kMoveReminder;
  const Bytes body = wire::encode(wire::ReconnectEvent{.to = {}, .within_ms = 0});
  for (ClientLink* link : context_.sessions.all()) {
    link->notify(wire::Command::ReconnectEvent, body);
  }
}

}  // namespace martlet::edge
