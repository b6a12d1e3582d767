#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "edge/client_link.h"
#include "edge/unanswered.h"
#include "model/conversation.h"
#include "wire/envelopes.h"
#include "wire/message.h"
#include "wire/trace.h"

namespace martlet::edge {

// The edge's part of the flight recorder: decides which messages are followed, for all processes
// after it, and notes what happens to them here. Loop thread; what it refers to outlives it.
class Tracer {
 public:
  using Traced = wire::Traced;
  using FindLink = std::function<ClientLink*(std::uint64_t number)>;
  struct Parts {
    event::Loop& loop;
    const Clock& clock;
    wire::HopSink* sink = nullptr;  // null: nothing is followed
    std::uint32_t sample_permille = 0;
  };
  Tracer(const Parts& parts, FindLink find_link)
      : parts_(parts), find_link_(std::move(find_link)) {}

  // Of a request with this id. flagged: its sender asks for it, which counts a few times a second.
  Traced judge(const ClientMsgId& id, bool flagged, Session& session) const;

  // The rest is for messages that are followed.
  void frame_in(const UserId& sender, const OutgoingFrame& frame,
                const ConversationId& conversation);
  // times: how often it was published before.
  void published(const OutgoingFrame& frame, std::uint32_t times);
  void gave_up(const OutgoingFrame& frame);
  // Before it is written to the link, and after that.
  void answer_in(ClientLink& link, const wire::Answer& answer);
  void answer_given(ClientLink& link, const wire::Answer& answer);
  // user: on whose subject it came; empty: a group's. Before it is handed to links.
  void event_in(const UserId& user, const wire::Event& event);
  // The same event was handed to these links.
  void handed_out(const UserId& user, const wire::Event& event, std::vector<std::uint64_t> links);

 private:
  void note_frame(wire::HopKind kind, const OutgoingFrame& frame, std::uint64_t number);
  bool has_unwritten(std::uint64_t link) const;
  void note_written(wire::Hop hop, const std::vector<std::uint64_t>& links);

  const Parts parts_;
  const FindLink find_link_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace martlet::edge
