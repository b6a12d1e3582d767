#include "bus/subjects.h"
#include "edge/handlers/handlers.h"
#include "edge/publish_frame.h"

namespace martlet::edge {
namespace {

// 0: unknown. Clients count the age themselves, so that their clock does not matter.
WallMs first_sent(const std::optional<Duration>& age, WallMs now) {
  if (!age) return 0;
  const auto age_ms = std::chrono::duration_cast<std::chrono::milliseconds>(*age).count();
  return now > static_cast<WallMs>(age_ms) ? now - static_cast<WallMs>(age_ms) : 0;
}

}  // namespace

Result<Taken> handle_send(EdgeContext& edge, const Request& request) {
  const auto send = wire::parse_send(request.body);
  if (!send) return tl::unexpected(send.error());
  if (!send->to_group.empty()) return fail(ErrorCode::kNoSuchGroup);

  const UserId& sender = request.link.session().user();
  const ShardId shard =
      shard_of(ConversationId::between(sender, send->to_user), edge.identity.shards);
  return publish_frame(edge, request,
                       {.shard = shard,
                        .subject = bus::subject::in_user(shard, send->to_user),
                        .client_msg_id = send->client_msg_id,
                        .first_sent_ms = first_sent(send->age, edge.clock.wall_ms())});
}

}  // namespace martlet::edge
