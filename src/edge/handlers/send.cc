#include <utility>

#include "edge/destination.h"
#include "edge/handlers/handlers.h"
#include "edge/publish_frame.h"

namespace martlet::edge {

Result<Taken> handle_send(EdgeContext& edge, const Request& request) {
  const auto send = wire::parse_send(request.body);
  if (!send) return tl::unexpected(send.error());
  const UserId& sender = request.link.session().user();
  Destination to = destination(edge, sender, send->to_user, send->to_group);
  return publish_frame(edge, request,
                       {.shard = to.shard,
                        .subject = std::move(to.subject),
                        .client_msg_id = send->client_msg_id,
                        .first_sent_ms = first_sent(send->age, edge.clock.wall_ms()),
                        .conversation = std::move(to.conversation),
                        .flagged = send->trace});
}

}  // namespace martlet::edge
