#include "dispatcher/trail.h"

#include <utility>

namespace martlet::dispatcher {

wire::Hop Trail::of(wire::HopKind kind, const wire::Entry& entry, wire::Traced traced) const {
  wire::Hop hop;
  hop.kind = kind;
  hop.sender = entry.sender;
  hop.client_msg_id = entry.client_msg_id;
  hop.conversation = entry.conversation;
  hop.seq = entry.seq;
  hop.message_id = entry.message_id;
  hop.shard = shard_;
  hop.flagged = traced == wire::Traced::kFlagged;
  return hop;
}

wire::Hop Trail::of(wire::HopKind kind, const SendFrame& frame) const {
  wire::Hop hop;
  hop.kind = kind;
  hop.sender = frame.user;
  hop.client_msg_id = frame.id;
  hop.conversation = frame.conversation;
  hop.shard = shard_;
  hop.flagged = frame.asker.traced == wire::Traced::kFlagged;
  return hop;
}

void Trail::known(const SendFrame& frame, const KnownMessage& message) {
  if (!is_followed(frame.asker.traced)) return;
  wire::Hop hop = of(wire::HopKind::kAnswered, frame);
  hop.seq = message.seq;
  hop.message_id = message.message_id;
  sink_->record(std::move(hop));
}

void Trail::note(wire::HopKind kind, const SendFrame& frame, ErrorCode error) {
  note(of(kind, frame), 0, error);
}

void Trail::note(wire::Hop hop, std::uint64_t number, ErrorCode error) {
  hop.number = number;
  hop.error = error;
  sink_->record(std::move(hop));
}

}  // namespace martlet::dispatcher
