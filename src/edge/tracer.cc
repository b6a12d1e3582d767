#include "edge/tracer.h"

#include <utility>

namespace martlet::edge {
namespace {

wire::Hop hop_of(wire::HopKind kind, std::string_view sender, const ClientMsgId& id,
                 wire::Traced traced) {
  wire::Hop hop;
  hop.kind = kind;
  hop.sender = UserId::trusted(sender);
  hop.client_msg_id = id;
  hop.flagged = traced == wire::Traced::kFlagged;
  return hop;
}

// The event's body was verified, and is a message.
wire::Hop hop_of(wire::HopKind kind, const UserId& user, const wire::Event& event,
                 const wire::Message& message) {
  wire::Hop hop = hop_of(kind, message.sender, message.client_msg_id, event.traced);
  hop.conversation = ConversationId::trusted(message.conversation);
  hop.seq = message.seq;
  hop.message_id = message.message_id;
  hop.shard = event.shard;
  hop.user = user;
  return hop;
}

wire::Hop hop_of(wire::HopKind kind, const UserId& sender, const wire::Answer& answer) {
  wire::Hop hop = hop_of(kind, sender.str(), answer.client_msg_id, answer.traced);
  if (!answer.conversation.empty()) {
    hop.conversation = ConversationId::trusted(answer.conversation);
  }
  hop.seq = answer.seq;
  hop.message_id = answer.message_id;
  hop.error = answer.error;
  return hop;
}

}  // namespace

wire::Traced Tracer::judge(const ClientMsgId& id, bool flagged, Session& session) const {
  if (parts_.sink == nullptr || id.is_zero()) return Traced::kNo;
  if (flagged && session.may_flag(parts_.clock.now())) return Traced::kFlagged;
  if (parts_.sample_permille == 0) return Traced::kNo;
  return wire::is_sampled(id, parts_.sample_permille) ? Traced::kSampled : Traced::kNo;
}

void Tracer::frame_in(const UserId& sender, const OutgoingFrame& frame,
                      const ConversationId& conversation) {
  wire::Hop hop = hop_of(wire::HopKind::kEdgeIn, sender.str(), frame.client_msg_id, frame.traced);
  hop.conversation = conversation;
  hop.shard = frame.shard;
  parts_.sink->record(std::move(hop));
}

void Tracer::published(const OutgoingFrame& frame, std::uint32_t times) {
  note_frame(wire::HopKind::kEdgePublished, frame, times > 0 ? times + 1 : 0);
}

void Tracer::gave_up(const OutgoingFrame& frame) {
  note_frame(wire::HopKind::kEdgeGaveUp, frame, 0);
}

// The sender's name is in the envelope that we made.
void Tracer::note_frame(wire::HopKind kind, const OutgoingFrame& frame, std::uint64_t number) {
  const auto envelope = wire::parse_client_frame(frame.payload);
  if (!envelope) return;
  wire::Hop hop = hop_of(kind, envelope->user, frame.client_msg_id, frame.traced);
  hop.shard = frame.shard;
  hop.number = number;
  parts_.sink->record(std::move(hop));
}

bool Tracer::has_unwritten(std::uint64_t number) const {
  const ClientLink* link = find_link_(number);
  return link != nullptr && link->has_unwritten();
}

void Tracer::answer_in(ClientLink& link, const wire::Answer& answer) {
  parts_.sink->record(hop_of(wire::HopKind::kAnswerIn, link.session().user(), answer));
}

// What is written to connections in a turn goes to the kernel at its end, before what is asked for
// here.
void Tracer::answer_given(ClientLink& link, const wire::Answer& answer) {
  wire::Hop hop = hop_of(wire::HopKind::kAnswerWritten, link.session().user(), answer);
  parts_.loop.at_turn_end([this, alive = std::weak_ptr<int>(alive_), number = link.number(),
                           hop = std::move(hop)]() mutable {
    if (alive.expired()) return;
    if (has_unwritten(number)) hop.kind = wire::HopKind::kAnswerWaits;
    parts_.sink->record(std::move(hop));
  });
}

void Tracer::event_in(const UserId& user, const wire::Event& event) {
  const auto message = wire::parse_message(event.body);
  if (message) parts_.sink->record(hop_of(wire::HopKind::kEventIn, user, event, *message));
}

void Tracer::handed_out(const UserId& user, const wire::Event& event,
                        std::vector<std::uint64_t> links) {
  const auto message = wire::parse_message(event.body);
  if (!message) return;
  wire::Hop hop = hop_of(wire::HopKind::kWritten, user, event, *message);
  parts_.loop.at_turn_end(
      [this, alive = std::weak_ptr<int>(alive_), hop = std::move(hop), links = std::move(links)] {
        if (!alive.expired()) note_written(hop, links);
      });
}

void Tracer::note_written(wire::Hop hop, const std::vector<std::uint64_t>& links) {
  std::uint64_t waiting = 0;
  for (const std::uint64_t number : links) waiting += has_unwritten(number) ? 1 : 0;
  hop.number = links.size() - waiting;
  parts_.sink->record(hop);
  if (waiting == 0) return;
  hop.kind = wire::HopKind::kWriteWaits;
  hop.number = waiting;
  parts_.sink->record(std::move(hop));
}

}  // namespace martlet::edge
