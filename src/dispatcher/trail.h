#pragma once

#include "dispatcher/types.h"
#include "wire/trace.h"

namespace martlet::dispatcher {

// A shard's part of the flight recorder: says of messages that are followed what happens to them
// now. Costs a comparison for all others.
class Trail {
 public:
  // sink null: nothing is followed.
  Trail(ShardId shard, wire::HopSink* sink) : shard_(shard), sink_(sink) {}

  void frame(wire::HopKind kind, const SendFrame& frame, ErrorCode error = ErrorCode::kNone) {
    if (is_followed(frame.asker.traced)) note(kind, frame, error);
  }
  void entry(wire::HopKind kind, const wire::Entry& entry, wire::Traced traced,
             std::uint64_t number = 0, ErrorCode error = ErrorCode::kNone) {
    if (is_followed(traced)) note(of(kind, entry, traced), number, error);
  }
  // Of a message whose place is known, to one who repeats it.
  void known(const SendFrame& frame, const KnownMessage& message);

 private:
  bool is_followed(wire::Traced traced) const {
    return traced != wire::Traced::kNo && sink_ != nullptr;
  }
  wire::Hop of(wire::HopKind kind, const wire::Entry& entry, wire::Traced traced) const;
  wire::Hop of(wire::HopKind kind, const SendFrame& frame) const;
  void note(wire::HopKind kind, const SendFrame& frame, ErrorCode error);
  void note(wire::Hop hop, std::uint64_t number, ErrorCode error);

  ShardId shard_;
  wire::HopSink* sink_;
};

}  // namespace martlet::dispatcher
