#include "edge/destination.h"
#include "edge/handlers/handlers.h"
#include "edge/publish_frame.h"
#include "wire/group_answers.h"
#include "wire/group_requests.h"

namespace martlet::edge {

// Answered here, whatever becomes of it: it holds no credit, and nobody repeats it.
Result<Taken> handle_typing(EdgeContext& edge, const Request& request) {
  const auto typing = wire::parse_typing(request.body);
  if (!typing) return tl::unexpected(typing.error());
  Session& session = request.link.session();
  const Destination to = destination(edge, session.user(), typing->to_user, typing->to_group);
  if (session.typing().take(to.conversation, edge.clock.now())) {
    edge.bus.publish(to.subject, encode_frame_for_owner(edge, request, 0));
  } else {
    edge.metrics.typing_dropped();
  }
  request.link.answer(request.id, wire::Command::TypingOk, wire::encode(wire::TypingOk{}));
  return Taken::kYes;
}

}  // namespace martlet::edge
