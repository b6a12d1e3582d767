#include "api/describe.h"

#include "api/limits.h"

namespace martlet::api {

std::vector<service::Limit> limits() {
  return {
      {"kEdgeSilenceMs", kEdgeSilenceMs, "ms",
       "an edge without a heartbeat for this long is taken for dead"},
      {"kMaxEdges", kMaxEdges, "edges", "that are remembered"},
      {"kRebalanceLeast", kRebalanceLeast, "sessions",
       "that an edge has above its share, at least, before it gives some away"},
      {"kScaleTurn", to_ms<std::uint64_t>(kScaleTurn), "ms",
       "between two changes of desired_edges in different directions"},
      {"kMaxListeners", kMaxListeners, "connections", "that listen to changes of the edges"},
      {"kStreamBeat", to_ms<std::uint64_t>(kStreamBeat), "ms",
       "between two signs of life of such a stream"},
  };
}

}  // namespace martlet::api
