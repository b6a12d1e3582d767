#include "bus/subjects.h"
#include "edge/ask_persist.h"
#include "edge/handlers/handlers.h"

namespace martlet::edge {
namespace {

// Of those that the asker is in: a subscription is shared, and others' are nobody's business.
void renew_groups(EdgeContext& edge, const UserId& user, const std::vector<wire::Range>& ranges) {
  for (const wire::Range& range : ranges) {
    if (!range.conversation.is_group()) continue;
    if (edge.groups.renew(user, range.conversation.group())) edge.metrics.subscription_renewed();
  }
}

}  // namespace

Result<Taken> handle_fetch(EdgeContext& edge, const Request& request) {
  const auto parsed = wire::parse_fetch(request.body);
  if (!parsed) return tl::unexpected(parsed.error());
  // Live delivery failed this user: the answer brings the messages, a new subscription the next
  // ones.
  if (parsed->live_missed > 0) {
    edge.metrics.live_missed(parsed->live_missed);
    const UserId& user = request.link.session().user();
    if (edge.channels.renew(user)) edge.metrics.subscription_renewed();
    renew_groups(edge, user, parsed->ranges);
  }
  return ask_persist(edge, request, bus::subject::rpc_read());
}

}  // namespace martlet::edge
