#include "edge/describe.h"

#include "edge/limits.h"

namespace martlet::edge {

std::vector<service::Limit> limits() {
  return {
      {"kMaxConnections", kMaxConnections, "connections", "default of edge.max_connections"},
      {"kMaxUnansweredPerConnection", kMaxUnansweredPerConnection, "requests",
       "that wait for an answer; at the limit the socket is not read"},
      {"kMaxReadsPerConnection", kMaxReadsPerConnection, "requests",
       "SYNC, FETCH and HISTORY under way on a connection"},
      {"kMaxJsonReadsPerConnection", kMaxJsonReadsPerConnection, "requests",
       "the same for a connection that speaks JSON"},
      {"kMaxUnansweredPerShard", kMaxUnansweredPerShard, "frames",
       "to one shard that wait for an answer"},
      {"kMaxUnansweredBytesPerShard", kMaxUnansweredBytesPerShard, "bytes",
       "of those frames; reached by the frame that passes it"},
      {"kFrameTimeoutMs", kFrameTimeoutMs, "ms",
       "after which an unanswered frame is refused as retryable"},
      {"kRpcTimeoutMs", kRpcTimeoutMs, "ms", "for an answer of persist"},
      {"kMaxRpcsUnderWay", kMaxRpcsUnderWay, "requests", "to persist, of all connections"},
      {"kOutputHighMarkBytes", kOutputHighMarkBytes, "bytes", "default of edge.output_high_bytes"},
      {"kOutputLowMarkBytes", kOutputLowMarkBytes, "bytes", "default of edge.output_low_bytes"},
      {"kOutputHardLimitBytes", kOutputHardLimitBytes, "bytes",
       "default of edge.output_limit_bytes"},
      {"kMaxReadPerTurnBytes", kMaxReadPerTurnBytes, "bytes",
       "taken from one socket before the others have their turn"},
      {"kMaxAccessTokenBytes", kMaxAccessTokenBytes, "bytes", "of an access token"},
      {"kCloseDeadlineMs", kCloseDeadlineMs, "ms", "for a closing client to take its last words"},
      {"kStopCloseDeadlineMs", kStopCloseDeadlineMs, "ms", "the same while the edge stops"},
      {"kSpreadMs", kSpreadMs, "ms", "over which clients spread when all are told to sync"},
  };
}

}  // namespace martlet::edge
