#include "api/options.h"

#include "api/limits.h"
#include "api/router.h"

namespace martlet::api {

using std::chrono::minutes;
using std::chrono::seconds;

namespace {

void declare_scale(config::Keys& keys, ScaleOptions& scale) {
  keys.integer("scale.connections", &scale.connections, {1, 1'000'000, "connections"},
               "that one edge should carry at most; more need another edge");
  keys.integer("scale.cpu_permille", &scale.cpu_permille, {10, 1000, "permille"},
               "of a core that one edge should use at most");
  keys.duration("scale.loop_lag_ms", &scale.loop_lag, {std::chrono::milliseconds(1), seconds(10)},
                "that the median edge's loop should be late at most");
  keys.bytes("scale.output_bytes_per_s", &scale.output_bytes_per_s,
             {1024, 100LL * 1024 * 1024 * 1024, "bytes"},
             "a second that one edge should write to its clients at most");
  keys.integer("scale.max_edges", &scale.max_edges, {1, std::int64_t(kMaxEdges), "edges"},
               "more are never asked for");
  keys.duration("scale.up_after_s", &scale.up_after, {seconds(0), minutes(60)},
                "so long an edge's mark is passed before more edges are asked for");
  keys.duration("scale.down_after_s", &scale.down_after, {seconds(0), minutes(60)},
                "so long fewer would do before fewer are asked for");
}

}  // namespace

void declare(config::Keys& keys, ApiOptions& options) {
  registry::declare(keys, options.redis);
  keys.path("api.tokens", &options.tokens, config::PathRule::kAny,
            "file of the tokens that open the api's pages, see docs/operations.md; empty: only "
            "/v1/route is open");
  std::vector<std::string> names;
  for (const StrategyName& entry : kStrategies) names.emplace_back(entry.name);
  keys.choice("route.strategy", &options.strategy, names,
              "which edge a client is told that names no strategy");
  declare_scale(keys, options.scale);
}

}  // namespace martlet::api
