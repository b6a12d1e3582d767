#include <utility>

#include "edge/destination.h"
#include "edge/handlers/handlers.h"
#include "edge/publish_frame.h"
#include "wire/group_requests.h"

namespace martlet::edge {

// The owner of the group's shard judges it; here only the form is looked at. Each name costs a row
// and a publish of its own, so names count like frames.
Result<Taken> handle_group_change(EdgeContext& edge, const Request& request) {
  const auto change = wire::parse_group_change(request.command, request.body);
  if (!change) return tl::unexpected(change.error());
  Destination to = destination(edge, request.link.session().user(), {}, change->group);
  const auto taken = publish_frame(edge, request,
                                   {.shard = to.shard,
                                    .subject = std::move(to.subject),
                                    .client_msg_id = change->client_msg_id,
                                    .first_sent_ms = first_sent(change->age, edge.clock.wall_ms()),
                                    .conversation = std::move(to.conversation)});
  if (taken == Taken::kYes) {
    request.link.charge(double(change->change.users.size()) / kNamesPerFrameToken);
  }
  return taken;
}

}  // namespace martlet::edge
