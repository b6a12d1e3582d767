#pragma once

#include <string>

#include "edge/context.h"
#include "model/conversation.h"

namespace martlet::edge {

// A conversation, its shard, and the subject of the shard's owner.
struct Destination {
  ConversationId conversation;
  ShardId shard;
  std::string subject;
};

// Exactly one of the recipients is given.
Destination destination(const EdgeContext& edge, const UserId& sender, const UserId& to_user,
                        const GroupId& to_group);

}  // namespace martlet::edge
