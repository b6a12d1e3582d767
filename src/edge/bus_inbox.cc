#include "edge/bus_inbox.h"

#include <optional>
#include <utility>
#include <variant>

#include "base/log.h"
#include "base/planted.h"
#include "edge/group_event.h"
#include "edge/login.h"
#include "wire/group_requests.h"

namespace martlet::edge {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

CloseReason close_reason(wire::KickReason reason) {
  switch (reason) {
    case wire::KickReason::Replaced:
      return CloseReason::kReplaced;
    case wire::KickReason::TokenExpired:
      return CloseReason::kTokenExpired;
    case wire::KickReason::Revoked:
      return CloseReason::kRevoked;
    case wire::KickReason::SlowConsumer:
      return CloseReason::kSlowConsumer;
    case wire::KickReason::Draining:
      return CloseReason::kStopping;
    default:
      return CloseReason::kByAdmin;
  }
}

bool may_reconnect(wire::KickReason reason) {
  return reason != wire::KickReason::Replaced && reason != wire::KickReason::Revoked;
}

bool is_acknowledged(wire::Command command) {
  return command == wire::Command::Send || wire::is_group_change(command);
}

bool is_refusal(const wire::Answer& answer) {
  return answer.kind == wire::AnswerKind::kRefused;
}

bool names_a_place(const wire::Answer& answer) {
  return !answer.conversation.empty() && answer.seq != Seq();
}

void send_ack(ClientLink& link, const wire::Answer& answer, wire::AckLevel level,
              Generation generation) {
  link.answer(answer.request_id, wire::answer_to(answer.command),
              wire::encode(wire::Ack{
                  .client_msg_id = answer.client_msg_id,
                  .conversation = ConversationId::trusted(answer.conversation),
                  .seq = answer.seq,
                  .message_id = answer.message_id,
                  .time_ms = answer.time_ms,
                  .level = level,
                  .generation = generation,
              }));
}

void send_refusal(ClientLink& link, const wire::Answer& answer) {
  const Error error{answer.error, std::string(answer.detail), answer.retry_after_ms};
  std::optional<ClientMsgId> id;
  if (!answer.client_msg_id.is_zero()) id = answer.client_msg_id;
  link.refuse(answer.request_id, error, id);
}

}  // namespace

// ---- im.e.<edge> -----------------------------------------------------------------------------

void BusInbox::on_to_edge(BytesView payload) {
  const auto message = wire::parse_to_edge(payload);
  if (!message) return malformed("to_edge", message.error());
  std::visit(Overloaded{[this](const wire::AnswerBatch& batch) { on_answers(batch); },
                        [this](const wire::KickSession& kick) { on_kick(kick); },
                        [this](const wire::DrainEdge& drain) {
                          edge_.stop("drained by " + std::string(drain.who));
                        }},
             *message);
}

void BusInbox::on_answers(const wire::AnswerBatch& batch) {
  const auto verdict = see(batch.shard, {batch.generation, batch.epoch});
  if (verdict == ShardFence::Verdict::kStale) {
    return edge_.metrics.dropped(DropReason::kStaleOwner);
  }
  for (const wire::Answer& answer : batch.answers) on_answer(answer, batch.generation);
  // After the answers, so that only what they leave open is published again.
  if (verdict == ShardFence::Verdict::kNewer) on_new_owner(batch.shard);
}

void BusInbox::on_answer(const wire::Answer& answer, Generation generation) {
  ClientLink* link = edge_.sessions.find(answer.session);
  if (link == nullptr) return edge_.metrics.dropped(DropReason::kNoRequest);
  const bool is_read = answer.command == wire::Command::Read;
  if (!is_refusal(answer) && !names_a_place(answer)) return malformed("answer", {});
  if (!is_read && !is_acknowledged(answer.command)) return malformed("answer", {});

  const bool is_logged =
      answer.kind == wire::AnswerKind::kAccepted && answer.level == wire::AckLevel::Logged;
  if (is_planted(Planted::kCreditUntilStored) && is_logged && !is_read) {
    if (link->finish(answer.request_id)) {
      send_ack(*link, answer, wire::AckLevel::Logged, generation);
    }
    return;
  }
  const bool settled =
      edge_.unanswered.settle({answer.session, answer.request_id}, answer.client_msg_id);
  if (!settled) {
    if (answer.kind == wire::AnswerKind::kStored) return on_stored(*link, answer);
    return edge_.metrics.dropped(DropReason::kNoRequest);
  }
  link->finish(answer.request_id);
  const bool is_followed = answer.traced != wire::Traced::kNo;
  if (is_followed) edge_.tracer.answer_in(*link, answer);
  give(*link, answer, generation);
  if (is_followed) edge_.tracer.answer_given(*link, answer);
}

void BusInbox::give(ClientLink& link, const wire::Answer& answer, Generation generation) {
  if (is_refusal(answer)) return send_refusal(link, answer);
  if (answer.command == wire::Command::Read) {
    return link.answer(
        answer.request_id, wire::Command::ReadOk,
        wire::encode(wire::ReadOk{ConversationId::trusted(answer.conversation), answer.seq}));
  }
  // STORED before its ACK: that one was lost, and this says more.
  const bool stored = answer.kind == wire::AnswerKind::kStored;
  send_ack(link, answer, stored ? wire::AckLevel::Stored : answer.level, generation);
}

void BusInbox::on_stored(ClientLink& link, const wire::Answer& answer) {
  link.notify(wire::Command::StoredEvent,
              wire::encode(wire::StoredEvent{
                  answer.client_msg_id, ConversationId::trusted(answer.conversation), answer.seq}));
}

void BusInbox::on_kick(const wire::KickSession& kick) {
  ClientLink* link = edge_.sessions.find(kick.session);
  if (link != nullptr)
    link->kick(close_reason(kick.reason), kick.reason, may_reconnect(kick.reason));
}

// ---- im.u.<uid> ------------------------------------------------------------------------------

void BusInbox::on_to_user(const UserId& user, BytesView payload) {
  const auto message = wire::parse_to_user(payload);
  if (!message) return malformed("to_user", message.error());
  std::visit(
      Overloaded{[&](const wire::Event& event) { on_event(user, event); },
                 [&](const wire::SessionStarted& one) { on_session_started(edge_, user, one); },
                 [&](const wire::KickDevice& kick) { on_kick_device(user, kick); }},
      *message);
}

void BusInbox::on_event(const UserId& user, const wire::Event& event) {
  if (!accept(event)) return;
  std::optional<GroupEvent> change;
  if (event.members_change) {
    auto read = read_group_event(event);
    if (!read) return malformed("members_change", read.error());
    change = std::move(*read);
  }
  if (is_planted(Planted::kLoseOneEvent) && event.seq.value() % 20 == 19) return;
  std::vector<std::uint64_t> links;
  const bool is_followed = event.traced != wire::Traced::kNo;
  if (is_followed) edge_.tracer.event_in(user, event);
  OutgoingEvent outgoing(event.command, event.body, is_followed ? &links : nullptr);
  for (ClientLink* link : edge_.sessions.of_user(user)) {
    if (link->session().id() != event.origin) link->deliver(outgoing);
  }
  if (is_followed) edge_.tracer.handed_out(user, event, std::move(links));
  if (change) edge_.groups.hear_own(user, *change);
}

// False: of an earlier owner, or it does not verify.
bool BusInbox::accept(const wire::Event& event) {
  const auto verdict = see(event.shard, {event.generation, event.epoch});
  if (verdict == ShardFence::Verdict::kNewer) on_new_owner(event.shard);
  if (verdict == ShardFence::Verdict::kStale) {
    edge_.metrics.dropped(DropReason::kStaleOwner);
    return false;
  }
  const bool verifies =
      wire::is_event(event.command) && wire::verify_body(event.command, event.body);
  if (!verifies) malformed("event", {});
  return verifies;
}

void BusInbox::on_kick_device(const UserId& user, const wire::KickDevice& kick) {
  for (ClientLink* link : edge_.sessions.to_end(user, kick.device)) {
    link->kick(close_reason(kick.reason), kick.reason, may_reconnect(kick.reason));
  }
}

// ---- im.g.<gid> ------------------------------------------------------------------------------

void BusInbox::on_to_group(const GroupId& group, BytesView payload) {
  const auto message = wire::parse_to_user(payload);
  if (!message) return malformed("to_group", message.error());
  const auto* event = std::get_if<wire::Event>(&*message);
  if (event == nullptr) return malformed("to_group", {});
  if (!accept(*event)) return;
  auto read = read_group_event(*event);
  if (!read) return malformed("group_event", read.error());
  if (read->group != group) return malformed("group_event", {});
  if (event->traced == wire::Traced::kNo) return edge_.groups.hear(*read);
  std::vector<std::uint64_t> links;
  read->links = &links;
  edge_.tracer.event_in({}, *event);
  edge_.groups.hear(*read);
  edge_.tracer.handed_out({}, *event, std::move(links));
}

// ---- im.own.<shard> --------------------------------------------------------------------------

void BusInbox::on_owner(BytesView payload) {
  const auto announced = wire::parse_owner_announced(payload);
  if (!announced) return malformed("owner", announced.error());
  const auto verdict = see(announced->shard, {announced->generation, announced->epoch});
  if (announced->lost_events && verdict != ShardFence::Verdict::kStale) edge_.hint_resync();
  if (verdict != ShardFence::Verdict::kNewer) return;
  MARTLET_LOG(info, "owner_seen shard={} generation={} epoch={} owner={}", announced->shard.value(),
              announced->generation.value(), announced->epoch.value(), announced->owner);
  on_new_owner(announced->shard);
}

// What was known of memberships goes with the log's lost end.
ShardFence::Verdict BusInbox::see(ShardId shard, Ownership ownership) {
  const auto before = fence_.generation_of(shard);
  const auto verdict = fence_.see(shard, ownership);
  const bool is_cut_off = before && *before < ownership.generation;
  if (is_cut_off) edge_.groups.doubt(shard);
  return verdict;
}

void BusInbox::on_new_owner(ShardId shard) {
  edge_.unanswered.republish(shard, edge_.clock.now());
}

void BusInbox::malformed(const char* what, const Error& error) {
  edge_.metrics.dropped(DropReason::kMalformed);
  MARTLET_LOG(warn, "bus_message_malformed kind={} detail={}", what, error.detail);
}

}  // namespace martlet::edge
