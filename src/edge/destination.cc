#include "edge/destination.h"

#include <utility>

#include "bus/subjects.h"

namespace martlet::edge {

Destination destination(const EdgeContext& edge, const UserId& sender, const UserId& to_user,
                        const GroupId& to_group) {
  const bool is_group = !to_group.empty();
  ConversationId conversation =
      is_group ? ConversationId::of_group(to_group) : ConversationId::between(sender, to_user);
  const ShardId shard = shard_of(conversation, edge.identity.shards);
  return {
      std::move(conversation), shard,
      is_group ? bus::subject::in_group(shard, to_group) : bus::subject::in_user(shard, to_user)};
}

}  // namespace martlet::edge
