#include "edge/edge.h"

#include <sys/socket.h>

#include <utility>

#include "base/log.h"
#include "base/planted.h"
#include "bus/subjects.h"
#include "edge/command_table.h"
#include "edge/login.h"
#include "wire/envelopes.h"

namespace martlet::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kThrottleSlots = 128;
constexpr Duration kStartTimeout = seconds(5);
constexpr Duration kStopTick = milliseconds(10);
constexpr Duration kResyncPause = milliseconds(kSpreadMs);

net::ConnectionOptions connection_options(const EdgeOptions& options,
                                          net::ConnectionTotals& totals) {
  return {.high_mark_bytes = options.output_high_bytes,
          .low_mark_bytes = std::min(options.output_low_bytes, options.output_high_bytes),
          .hard_limit_bytes = std::max(options.output_limit_bytes, options.output_high_bytes),
          .max_read_per_turn_bytes = kMaxReadPerTurnBytes,
          .totals = &totals};
}

GroupDesk::Options group_options(const EdgeOptions& options, const EdgeIdentity& identity) {
  GroupDesk::Options result;
  result.subjects.linger = options.linger;
  result.shards = identity.shards;
  return result;
}

}  // namespace

Edge::Edge(EdgeParts parts)
    : parts_(std::move(parts)),
      wheel_(parts_.clock.now(), kWheelTick, kWheelSlots),
      throttle_wheel_(parts_.clock.now(), kThrottleTick, kThrottleSlots),
      users_(parts_.options.frames.user),
      token_turns_(parts_.loop, kMaxTokenChecksPerTurn),
      door_(parts_.options.door),
      tracer_({parts_.loop, parts_.clock, parts_.hops, parts_.options.trace_permille},
              [this](std::uint64_t number) { return find_link(number); }),
      unanswered_(parts_.clock.now(), parts_.options.unanswered, *this),
      channels_(parts_.bus, wheel_, parts_.clock, {.linger = parts_.options.linger},
                [this](const UserId& user, BytesView payload) {
                  notice_standstill();
                  inbox_.on_to_user(user, payload);
                }),
      groups_({parts_.bus, wheel_, parts_.clock, parts_.metrics, *this},
              group_options(parts_.options, parts_.identity)),
      context_{.identity = parts_.identity,
               .options = parts_.options,
               .clock = parts_.clock,
               .random = parts_.random,
               .bus = parts_.bus,
               .verify_token = parts_.verify_token,
               .registry = parts_.registry,
               .metrics = parts_.metrics,
               .tracer = tracer_,
               .unanswered = unanswered_,
               .credit_queue = credit_queue_,
               .channels = channels_,
               .groups = groups_,
               .sessions = sessions_,
               .door = door_,
               .find_link = [this](std::uint64_t number) { return find_link(number); },
               .hint_resync = [this] { hint_resync_all(); },
               .stop = parts_.stop},
      inbox_(context_),
      mover_(context_),
      environment_{parts_.loop,
                   parts_.clock,
                   wheel_,
                   throttle_wheel_,
                   parts_.metrics,
                   parts_.options.session,
                   parts_.options.frames,
                   users_,
                   token_turns_,
                   connection_options(parts_.options, totals_),
                   stop_share(milliseconds(kStopCloseDeadlineMs), kStopCloseShare),
                   *this,
                   parts_.tls},
      arrivals_(
          parts_.loop, parts_.options.proxies,
          [this](net::UniqueFd fd, const net::SocketAddress& from) { admit(std::move(fd), from); },
          [this](const net::SocketAddress& proxy, const Error&) {
            refused(proxy, CloseReason::kProxyHeader);
          }),
      tick_(parts_.loop, [this] { tick(); }),
      next_second_(parts_.clock.now()),
      resync_allowed_(parts_.clock.now()) {
  parts_.bus.on_state([this](bus::BusState state) { on_bus_state(state); });
}

Edge::~Edge() {
  parts_.bus.on_state(nullptr);
}

// ---- start -----------------------------------------------------------------------------------

void Edge::start(Started on_started) {
  subscribe();
  parts_.metrics.connection_limit(parts_.options.door.max_connections);
  awake_ = parts_.clock.now();
  tick_.start_every(kTick);
  parts_.bus.after_subscriptions(
      kStartTimeout, [this, on_started = std::move(on_started)](const Result<void>& result) {
        if (!result) return on_started(result);
        const auto listening = listen();
        announced_ = listening.has_value();
        if (listening) beat();
        on_started(listening);
      });
}

void Edge::subscribe() {
  const auto add = [this](const std::string& subject, bus::Priority priority, auto handler) {
    subscriptions_.push_back(parts_.bus.subscribe(subject, {}, priority, std::move(handler)));
  };
  add(bus::subject::edge(parts_.identity.id), bus::Priority::kAnswers,
      [this](const bus::Incoming& incoming) {
        notice_standstill();
        inbox_.on_to_edge(incoming.payload);
      });
  add(bus::subject::all_owners(), bus::Priority::kAnswers, [this](const bus::Incoming& incoming) {
    notice_standstill();
    inbox_.on_owner(incoming.payload);
  });
}

Result<void> Edge::listen() {
  const config::Address& address = parts_.options.listen;
  auto listener = net::Listener::open(parts_.loop, {address.host, address.port},
                                      {.max_unsent_bytes = kMaxUnsentBytes},
                                      [this](net::UniqueFd fd) { adopt(std::move(fd)); });
  if (!listener) return fail(listener.error().code, "edge.listen: " + listener.error().detail);
  listener_ = std::move(*listener);
  // Nobody can connect to "any address": whoever is told to come back uses what they used.
  const bool is_reachable = !listener_->address().is_any();
  if (parts_.identity.address.empty() && is_reachable) {
    parts_.identity.address = listener_->address().str();
  }
  MARTLET_LOG(info, "listening address={} advertise={} edge={} tls={}", listener_->address().str(),
              parts_.identity.address, parts_.identity.id.str(), parts_.tls != nullptr);
  return {};
}

void Edge::adopt(net::UniqueFd fd) {
  arrivals_.take(std::move(fd));
}

void Edge::admit(net::UniqueFd fd, const net::SocketAddress& from) {
  const std::uint64_t number = ++last_link_;
  const auto is_idle = [this](std::uint64_t other) {
    const ClientLink* link = find_link(other);
    return link != nullptr && link->is_idle_stranger();
  };
  const Door::Verdict verdict =
      door_.admit(number, net::network_of(from), parts_.clock.now(), is_idle);
  if (verdict.refusal) return refuse_connection(fd, from, *verdict.refusal);
  if (verdict.makes_room) make_room(*verdict.makes_room);
  links_.emplace(number, std::make_unique<ClientLink>(number, std::move(fd), environment_));
}

// With TLS nothing could be said before a handshake, which costs more than a refusal should.
void Edge::refuse_connection(const net::UniqueFd& fd, const net::SocketAddress& from,
                             const Door::Refusal& refusal) {
  refused(from, refusal.reason);
  if (parts_.tls != nullptr) return;
  const auto frame = make_frame(wire::Codec::kFlatBuffers, wire::Command::Error, 0,
                                wire::encode(wire::Refusal{.error = refusal.error}));
  if (frame) ::send(fd.get(), frame->data(), frame->size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Edge::refused(const net::SocketAddress& from, CloseReason reason) {
  parts_.metrics.refused_connection(reason);
  refused_ = {refused_.count + 1, from.address().host, reason};
}

// A line a second for each, whatever they do.
void Edge::log_refusals() {
  if (refused_.count > 0) {
    MARTLET_LOG(info, "connections_refused count={} last_address={} last_reason={}", refused_.count,
                refused_.address, close_reason_name(refused_.reason));
    refused_ = {};
  }
  if (failed_handshakes_.count > 0) {
    MARTLET_LOG(info, "tls_handshakes_failed count={} last_why=\"{}\"", failed_handshakes_.count,
                failed_handshakes_.why);
    failed_handshakes_ = {};
  }
}

void Edge::make_room(std::uint64_t number) {
  ClientLink* link = find_link(number);
  if (link == nullptr) return;
  const Error error{ErrorCode::kBusy, "others wait to authenticate, and this one does not", 1000};
  link->turn_away(error, CloseReason::kMadeRoom);
}

// ---- links -----------------------------------------------------------------------------------

Result<Taken> Edge::on_request(const Request& request) {
  notice_standstill();
  const CommandRule* rule = find_rule(request.command);
  if (rule == nullptr) return fail(ErrorCode::kUnknownCommand);
  return rule->handle(context_, request);
}

std::size_t Edge::max_body_bytes(wire::Command command) const {
  const CommandRule* rule = find_rule(command);
  return rule == nullptr ? 0 : rule->max_body_bytes;
}

void Edge::on_ended(ClientLink& link, CloseReason reason) {
  MARTLET_LOG(debug, "session_ended user={} reason={}", link.session().user().str(),
              close_reason_name(reason));
  if (reason == CloseReason::kTlsHandshake) {
    failed_handshakes_ = {failed_handshakes_.count + 1, link.tls_trouble()};
  }
  door_.no_stranger(link.number());
  end_session(context_, link);
}

void Edge::on_gone(ClientLink& link) {
  const auto found = links_.find(link.number());
  door_.gone(link.number());
  std::unique_ptr<ClientLink> gone = std::move(found->second);
  links_.erase(found);
  parts_.loop.defer_delete(std::move(gone));
}

ClientLink* Edge::find_link(std::uint64_t number) const {
  const auto found = links_.find(number);
  return found == links_.end() ? nullptr : found->second.get();
}

// ---- unanswered frames -----------------------------------------------------------------------

void Edge::publish(const OutgoingFrame& frame, std::uint32_t times) {
  // Dropped or not: it is published again until it is answered.
  parts_.bus.publish(frame.subject, frame.payload);
  if (frame.traced != wire::Traced::kNo) tracer_.published(frame, times);
}

void Edge::on_repeated(std::size_t frames) {
  parts_.metrics.repeated(frames);
}

void Edge::on_timed_out(const OutgoingFrame& frame) {
  if (frame.traced != wire::Traced::kNo) tracer_.gave_up(frame);
  ClientLink* link = sessions_.find(frame.key.session);
  if (link == nullptr || !link->finish(frame.key.request_id)) return;
  std::optional<ClientMsgId> id;
  if (!frame.client_msg_id.is_zero()) id = frame.client_msg_id;
  link->refuse(frame.key.request_id,
               {ErrorCode::kTimeout, "the shard's owner does not answer", 1000}, id);
}

void Edge::on_credit(ShardId shard) {
  wake_one(shard);
}

void Edge::wake_one(ShardId shard) {
  while (const auto number = credit_queue_.next(shard)) {
    ClientLink* link = find_link(*number);
    if (link == nullptr || link->has_ended()) continue;
    return link->wake();
  }
}

// ---- groups ----------------------------------------------------------------------------------

void Edge::deliver(const UserId& user, OutgoingEvent& event, const SessionId& origin) {
  for (ClientLink* link : sessions_.links_of(user)) {
    if (link->session().id() != origin) link->deliver(event);
  }
}

void Edge::hint_resync(const UserId& user, const ConversationId& conversation,
                       std::uint32_t within_ms) {
  for (ClientLink* link : sessions_.links_of(user)) link->hint_resync(within_ms, conversation);
}

void Edge::hint_added(const UserId& user, const ConversationId& conversation,
                      std::uint32_t within_ms) {
  for (ClientLink* link : sessions_.links_of(user)) link->hint_added(within_ms, conversation);
}

void Edge::on_to_group(const GroupId& group, BytesView payload) {
  notice_standstill();
  inbox_.on_to_group(group, payload);
}

// ---- the broker ------------------------------------------------------------------------------

void Edge::on_bus_state(bus::BusState state) {
  notice_standstill();
  if (state == bus::BusState::kReconnected && is_behind_) end_waiting();
  if (state == bus::BusState::kReconnected) unanswered_.republish_all(parts_.clock.now());
  const bool lost_something =
      state == bus::BusState::kReconnected || state == bus::BusState::kSlowConsumer;
  if (lost_something) hint_resync_all();
}

// Whoever stood still (SIGSTOP, a machine without memory) has frames of sessions that went
// elsewhere meanwhile, and frames whose answers it did not read. It reads what the broker has for
// it before it publishes any of them (docs/adr/0042-standstill.md).
void Edge::notice_standstill() {
  const MonotonicTime before = std::exchange(awake_, parts_.clock.now());
  if (awake_ - before < kStandstill || is_planted(Planted::kSpeakAtOnce)) return;
  MARTLET_LOG(warn, "stood_still ms={}", to_ms<std::int64_t>(awake_ - before));
  parts_.metrics.stood_still();
  is_behind_ = true;
  unanswered_.hold();
  catch_up();
}

// Who went elsewhere meanwhile was told on the link that is gone. Whoever is still there comes
// back, and repeats; one that waits for AuthOk may have written behind its AUTH.
void Edge::end_waiting() {
  std::vector<ClientLink*> waiting;
  for (const auto& [number, link] : links_) {
    if (link->is_waiting()) waiting.push_back(link.get());
  }
  for (ClientLink* link : waiting) {
    link->kick(CloseReason::kStoodStill, wire::KickReason::Draining, true);
  }
}

// The answer to what was asked before it stood still again says nothing of what came since.
void Edge::catch_up() {
  parts_.bus.after_subscriptions(kCatchUpTime,
                                 [this, question = ++last_catch_up_](const Result<void>& result) {
                                   if (question != last_catch_up_) return;
                                   is_behind_ = !result;
                                   if (result) return unanswered_.release(parts_.clock.now());
                                   catch_up_at_ = parts_.clock.now() + kTick;
                                 });
  catch_up_at_ = MonotonicTime::max();
}

// At most once in the time over which the clients spread: what is lost meanwhile is owed.
void Edge::hint_resync_all() {
  const MonotonicTime now = parts_.clock.now();
  resync_owed_ = now < resync_allowed_;
  if (resync_owed_) return;
  resync_allowed_ = now + kResyncPause;
  for (ClientLink* link : sessions_.all()) link->hint_resync(kSpreadMs);
}

// ---- time ------------------------------------------------------------------------------------

void Edge::tick() {
  notice_standstill();
  const MonotonicTime now = parts_.clock.now();
  unanswered_.advance(now);
  wheel_.advance(now);
  throttle_wheel_.advance(now);
  for (const ShardId shard : credit_queue_.shards()) {
    if (unanswered_.has_credit(shard)) wake_one(shard);
  }
  if (is_behind_ && now >= catch_up_at_) catch_up();
  if (resync_owed_ && now >= resync_allowed_) hint_resync_all();
  mover_.tick(now);
  for (std::size_t i = 0; i < waits_.size(); ++i) {
    if (!waits_[i].condition() && now < waits_[i].deadline) continue;
    const Done then = std::move(waits_[i].then);
    waits_.erase(waits_.begin() + std::ptrdiff_t(i--));
    then();
  }
  if (now < next_second_) return;
  next_second_ = now + seconds(1);
  every_second();
}

void Edge::every_second() {
  beat();
  update_metrics();
  log_refusals();
}

void Edge::beat() {
  const EdgeIdentity& identity = parts_.identity;
  if (!announced_) return;
  const EdgeLoad load = parts_.load ? parts_.load() : EdgeLoad{};
  const std::uint64_t bytes_out =
      totals_.bytes_out - std::exchange(bytes_out_before_, totals_.bytes_out);
  parts_.bus.publish(bus::subject::edge_beat(identity.id),
                     wire::encode(wire::EdgeBeat{
                         .edge = identity.id,
                         .name = identity.name,
                         .address = identity.address,
                         .http = identity.http,
                         .started_ms = identity.started_ms,
                         .connections = std::uint32_t(links_.size()),
                         .sessions = std::uint32_t(sessions_.size()),
                         .draining = draining_,
                         .weight = parts_.options.weight,
                         .cpu_permille = load.cpu_permille,
                         .loop_lag_us = load.loop_lag_us,
                         .output_bytes_per_s = bytes_out,
                     }));
}

void Edge::update_metrics() {
  EdgeMetrics& metrics = parts_.metrics;
  metrics.unanswered(unanswered_.size(), unanswered_.bytes());
  metrics.channels(channels_.size());
  metrics.strangers(door_.strangers(), door_.addresses());
  metrics.groups(groups_.size(), groups_.subscriptions());
  metrics.group_questions(groups_.questions());
  metrics.bytes(totals_.bytes_in, totals_.bytes_out, totals_.queued_bytes);
  metrics.registry_dropped(parts_.registry.dropped());
  if (listener_) metrics.accept_pauses(listener_->pauses());
}

// ---- stop ------------------------------------------------------------------------------------

void Edge::drain(Done on_done) {
  draining_ = true;
  beat();
  tick_.start_every(kStopTick);
  wait_for([] { return false; }, stop_share(parts_.options.drain_delay, kStopDelayShare),
           [this, on_done = std::move(on_done)]() mutable { close_door(std::move(on_done)); });
}

// Done when the last client has gone, or when its time is over.
void Edge::close_door(Done on_done) {
  listener_.reset();
  arrivals_.close_waiting();
  const Duration window = stop_share(parts_.options.drain_window, kStopWindowShare);
  mover_.drain(window);
  const Duration grace = stop_share(kDrainGrace, kStopGraceShare);
  const auto is_over = [this, grace] {
    const auto told = mover_.told_all_at();
    return sessions_.size() == 0 || (told && parts_.clock.now() >= *told + grace);
  };
  wait_for(is_over, stop_share(kMovesTimeout, kStopAskShare) + window + grace, std::move(on_done));
}

void Edge::close_all(Done on_done) {
  const auto settled = [this] { return unanswered_.size() == 0 && context_.rpcs_under_way == 0; };
  tick_.start_every(kStopTick);
  wait_for(settled, stop_share(kSettleTime, kStopSettleShare),
           [this, on_done = std::move(on_done)]() mutable {
             std::vector<ClientLink*> links;
             for (const auto& [number, link] : links_) links.push_back(link.get());
             for (ClientLink* link : links) {
               link->kick(CloseReason::kStopping, wire::KickReason::Draining, true);
             }
             // A little more than each of them has.
             wait_for([this] { return links_.empty(); }, environment_.stop_linger * 3 / 2,
                      std::move(on_done));
           });
}

// What a part of the stop may take: as usual, but at most so many hundredths of the whole.
Duration Edge::stop_share(Duration usual, int hundredths) const {
  return std::min(usual, parts_.options.stop_time * hundredths / 100);
}

void Edge::wait_for(const std::function<bool()>& condition, Duration deadline, Done then) {
  waits_.push_back({condition, parts_.clock.now() + deadline, std::move(then)});
}

}  // namespace martlet::edge
