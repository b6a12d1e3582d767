#pragma once

#include <string>

#include "edge/context.h"

namespace martlet::edge {

// The shard of a conversation, and the subject of its owner.
struct Destination {
  ShardId shard;
  std::string subject;
};

// Exactly one of the recipients is given.
Destination destination(const EdgeContext& edge, const UserId& sender, const UserId& to_user,
                        const GroupId& to_group);

}  // namespace martlet::edge
