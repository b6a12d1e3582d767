#include "edge/publish_frame.h"

#include <utility>

#include "wire/envelopes.h"

namespace martlet::edge {

WallMs first_sent(const std::optional<Duration>& age, WallMs now) {
  if (!age) return 0;
  const auto age_ms = to_ms<WallMs>(*age);
  return now > age_ms ? now - age_ms : 0;
}

Bytes encode_frame_for_owner(const EdgeContext& edge, const Request& request, WallMs first_sent_ms,
                             wire::Traced traced) {
  const Session& session = request.link.session();
  return wire::encode(wire::ClientFrame{
      .edge = edge.identity.id.str(),
      .session = session.id(),
      .request_id = request.id,
      .user = session.user().str(),
      .device = session.device().str(),
      .received_ms = edge.clock.wall_ms(),
      .first_sent_ms = first_sent_ms,
      .command = request.command,
      .body = request.body,
      .traced = traced,
  });
}

Taken publish_frame(EdgeContext& edge, const Request& request, Routing routing) {
  if (!edge.unanswered.has_credit(routing.shard)) {
    edge.metrics.credit_exhausted();
    edge.credit_queue.wait(routing.shard, request.link.number());
    return Taken::kNoCredit;
  }
  Session& session = request.link.session();
  const MonotonicTime now = edge.clock.now();
  session.begin(request.id, {request.command, routing.client_msg_id, now});
  const wire::Traced traced = edge.tracer.judge(routing.client_msg_id, routing.flagged, session);
  OutgoingFrame frame{
      .key = {session.id(), request.id},
      .shard = routing.shard,
      .command = request.command,
      .client_msg_id = routing.client_msg_id,
      .subject = std::move(routing.subject),
      .payload = encode_frame_for_owner(edge, request, routing.first_sent_ms, traced),
      .traced = traced};
  if (traced != wire::Traced::kNo) {
    edge.tracer.frame_in(session.user(), frame, routing.conversation);
  }
  edge.unanswered.add(std::move(frame), now);
  return Taken::kYes;
}

}  // namespace martlet::edge
