#pragma once

#include <optional>
#include <string>

#include "edge/context.h"

namespace martlet::edge {

// Where a client's frame goes.
struct Routing {
  ShardId shard;
  std::string subject;
  ClientMsgId client_msg_id;  // zero: none
  WallMs first_sent_ms = 0;   // 0: unknown
  ConversationId conversation = {};
  bool flagged = false;  // its sender wants it followed
};

// When it was first sent, by the clock of the edge; 0: unknown. Clients count the age themselves,
// so that their clock does not matter.
WallMs first_sent(const std::optional<Duration>& age, WallMs now);

// Sends the request to the owner of the shard; AnswerRouter brings the answer. kNoCredit: the shard
// has too many unanswered frames, and the link is queued for its turn.
Taken publish_frame(EdgeContext& edge, const Request& request, Routing routing);

// The request as the owner of a shard gets it.
Bytes encode_frame_for_owner(const EdgeContext& edge, const Request& request, WallMs first_sent_ms,
                             wire::Traced traced = wire::Traced::kNo);

}  // namespace martlet::edge
