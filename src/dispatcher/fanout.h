#pragma once

#include <span>
#include <vector>

#include "base/bytes.h"
#include "dispatcher/types.h"
#include "model/ids.h"

// How a shard's answers and events are written. Pure.
namespace martlet::dispatcher {

// In whose name a shard speaks; edges drop what is below the highest that they have seen.
struct Ownership {
  ShardId shard;
  Generation generation;
  Epoch epoch;
};

// Whom an entry concerns: both users of a conversation, one if it is the same.
std::vector<UserId> users_of(const ConversationId& conversation);

// A ToUser with the event of an entry that is in the log.
Bytes encode_live(const Ownership& owner, const LiveEntry& live);
// A ToUser that says: something in this conversation was perhaps not seen live.
Bytes encode_resync(const Ownership& owner, const ConversationId& conversation);
// A ToEdge with answers.
Bytes encode_answers(const Ownership& owner, std::span<const OutgoingAnswer> answers);

}  // namespace martlet::dispatcher
