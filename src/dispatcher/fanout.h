#pragma once

#include <optional>
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

// To whom something is published, the same bytes to all.
struct Audience {
  std::optional<GroupId> group;
  std::vector<UserId> users;
  friend bool operator==(const Audience&, const Audience&) = default;
};

// A group, or both users of a conversation, one if it is the same.
Audience audience_of(const ConversationId& conversation);
// A change of members also goes to those whom it concerns; a cursor in a group is its reader's
// alone.
Audience audience_of(const LiveEntry& live);
// All members of a group, or both of two.
Audience audience_of(const LiveTyping& typing);

// Conversations whose users must sync if they did not see the entry. Users whom a change concerns
// may not listen to the group: they stand for themselves, since SYNC is of everything.
std::vector<ConversationId> hints_for(const LiveEntry& live);

// A ToUser with the event of an entry that is in the log.
Bytes encode_live(const Ownership& owner, const LiveEntry& live);
Bytes encode_typing(const Ownership& owner, const LiveTyping& typing);
// A ToUser that says: something in this conversation was perhaps not seen live.
Bytes encode_resync(const Ownership& owner, const ConversationId& conversation);
// A ToEdge with answers.
Bytes encode_answers(const Ownership& owner, std::span<const OutgoingAnswer> answers);

}  // namespace martlet::dispatcher
