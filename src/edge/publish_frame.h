#pragma once

#include <string>

#include "edge/context.h"

namespace martlet::edge {

// Where a client's frame goes.
struct Routing {
  ShardId shard;
  std::string subject;
  ClientMsgId client_msg_id;  // zero: none
  WallMs first_sent_ms = 0;   // 0: unknown
};

// Sends the request to the owner of the shard; AnswerRouter brings the answer. kNoCredit: the shard
// has too many unanswered frames, and the link is queued for its turn.
Taken publish_frame(EdgeContext& edge, const Request& request, Routing routing);

}  // namespace martlet::edge
