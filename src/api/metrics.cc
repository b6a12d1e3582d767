#include "api/metrics.h"

namespace martlet::api {
namespace {

metrics::Label<ErrorCode> error_label() {
  metrics::Label<ErrorCode> label{"code", {}};
  for (const ErrorCode code :
       {ErrorCode::kBadId, ErrorCode::kBadRange, ErrorCode::kNotAuthenticated,
        ErrorCode::kNoSuchUser, ErrorCode::kForbidden, ErrorCode::kNoSuchEdge,
        ErrorCode::kNoSuchMessage, ErrorCode::kBusy, ErrorCode::kTimeout,
        ErrorCode::kUnavailable}) {
    label.values.emplace_back(code, error_name(code));
  }
  return label;
}

metrics::Label<Strategy> strategy_label() {
  metrics::Label<Strategy> label{"strategy", {}};
  for (const StrategyName& entry : kStrategies) {
    label.values.emplace_back(entry.strategy, entry.name);
  }
  return label;
}

}  // namespace

ApiMetrics::ApiMetrics(metrics::Registry& registry)
    : requests_(registry.counters<Page>(
          {"martlet_api_requests_total", "requests", "HTTP requests for a page of the api."},
          {"page",
           {{Page::kEdges, "edges"},
            {Page::kRoute, "route"},
            {Page::kScale, "scale"},
            {Page::kSessions, "sessions"},
            {Page::kAct, "act"},
            {Page::kAudit, "audit"},
            {Page::kTrace, "trace"},
            {Page::kStatus, "status"}}})),
      errors_(registry.counters<ErrorCode>(
          {"martlet_api_errors_total", "requests", "HTTP requests that were refused."},
          error_label())),
      beats_(registry.counter(
          {"martlet_api_edge_beats_total", "messages", "Heartbeats of edges received."})),
      bad_beats_(registry.counter({"martlet_api_bad_edge_beats_total", "messages",
                                   "Heartbeats dropped: malformed, or of too many edges."})),
      statuses_(registry.counter({"martlet_api_statuses_total", "messages",
                                  "Messages of processes about themselves received."})),
      bad_statuses_(registry.counter({"martlet_api_bad_statuses_total", "messages",
                                      "Such messages dropped: malformed, or of too many."})),
      bad_questions_(registry.counter({"martlet_api_bad_questions_total", "messages",
                                       "Questions of edges that were malformed."})),
      routes_(registry.counters<Strategy>(
          {"martlet_api_routes_total", "clients", "Clients that were told an edge."},
          strategy_label())),
      moves_(registry.counters<MoveReason>(
          {"martlet_api_moves_total", "sessions",
           "Sessions that edges were told to send elsewhere."},
          {"reason", {{MoveReason::kDrain, "drain"}, {MoveReason::kRebalance, "rebalance"}}})),
      hops_(registry.counter({"martlet_api_trace_hops_total", "hops",
                              "What processes told of messages that are followed."})),
      bad_reports_(registry.counter(
          {"martlet_api_bad_trace_reports_total", "messages", "The same, malformed."})),
      traces_(registry.gauge(
          {"martlet_api_traces", "messages", "Messages whose hops are remembered."})),
      listeners_(registry.gauge(
          {"martlet_api_listeners", "connections", "Who listens to changes of the edges."})),
      desired_(registry.gauge(
          {"martlet_api_desired_edges", "edges", "How many edges the load asks for."})),
      edges_(registry.gauge({"martlet_api_edges_live", "edges", "Edges that live."})) {}

}  // namespace martlet::api
