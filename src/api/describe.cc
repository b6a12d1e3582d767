#include "api/describe.h"

#include "api/limits.h"

namespace martlet::api {

std::vector<service::Limit> limits() {
  return {
      {"kEdgeSilenceMs", kEdgeSilenceMs, "ms",
       "an edge without a heartbeat for this long is taken for dead"},
      {"kMaxEdges", kMaxEdges, "edges", "that are remembered"},
  };
}

}  // namespace martlet::api
