#include "api/metrics.h"

namespace martlet::api {
namespace {

metrics::Label<ErrorCode> error_label() {
  metrics::Label<ErrorCode> label{"code", {}};
  for (const ErrorCode code : {ErrorCode::kBadId, ErrorCode::kTimeout, ErrorCode::kUnavailable}) {
    label.values.emplace_back(code, error_name(code));
  }
  return label;
}

}  // namespace

ApiMetrics::ApiMetrics(metrics::Registry& registry)
    : requests_(registry.counters<Page>(
          {"martlet_api_requests_total", "requests", "HTTP requests for a page of the api."},
          {"page", {{Page::kEdges, "edges"}, {Page::kSessions, "sessions"}}})),
      errors_(registry.counters<ErrorCode>(
          {"martlet_api_errors_total", "requests", "HTTP requests that were refused."},
          error_label())),
      beats_(registry.counter(
          {"martlet_api_edge_beats_total", "messages", "Heartbeats of edges received."})),
      bad_beats_(registry.counter({"martlet_api_bad_edge_beats_total", "messages",
                                   "Heartbeats dropped: malformed, or of too many edges."})),
      edges_(registry.gauge({"martlet_api_edges_live", "edges", "Edges that live."})) {}

}  // namespace martlet::api
