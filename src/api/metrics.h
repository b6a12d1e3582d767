#pragma once

#include "api/router.h"
#include "base/error.h"
#include "metrics/registry.h"

namespace martlet::api {

enum class Page { kEdges, kRoute, kScale, kSessions, kAct, kAudit, kTrace, kStatus };

enum class MoveReason { kDrain, kRebalance };

// What the api counts. Loop thread.
class ApiMetrics {
 public:
  explicit ApiMetrics(metrics::Registry& registry);

  void requested(Page page) { requests_.at(page).add(); }
  void refused(ErrorCode code) { errors_.at(code).add(); }
  void beat() { beats_.add(); }
  void bad_beat() { bad_beats_.add(); }
  void status() { statuses_.add(); }
  void bad_status() { bad_statuses_.add(); }
  void bad_question() { bad_questions_.add(); }
  void routed(Strategy strategy) { routes_.at(strategy).add(); }
  void moved(bool draining, std::uint32_t sessions) {
    moves_.at(draining ? MoveReason::kDrain : MoveReason::kRebalance).add(sessions);
  }
  void listeners(std::size_t count) { listeners_.set(static_cast<std::int64_t>(count)); }
  void desired_edges(std::uint32_t count) { desired_.set(count); }
  void hops(std::size_t count) { hops_.add(count); }
  void bad_report() { bad_reports_.add(); }
  void traces(std::size_t count) { traces_.set(static_cast<std::int64_t>(count)); }
  void live_edges(std::size_t count) { edges_.set(static_cast<std::int64_t>(count)); }

 private:
  metrics::Family<metrics::Counter, Page> requests_;
  metrics::Family<metrics::Counter, ErrorCode> errors_;
  metrics::Counter& beats_;
  metrics::Counter& bad_beats_;
  metrics::Counter& statuses_;
  metrics::Counter& bad_statuses_;
  metrics::Counter& bad_questions_;
  metrics::Family<metrics::Counter, Strategy> routes_;
  metrics::Family<metrics::Counter, MoveReason> moves_;
  metrics::Counter& hops_;
  metrics::Counter& bad_reports_;
  metrics::Gauge& traces_;
  metrics::Gauge& listeners_;
  metrics::Gauge& desired_;
  metrics::Gauge& edges_;
};

}  // namespace martlet::api
