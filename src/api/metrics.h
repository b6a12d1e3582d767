#pragma once

#include "base/error.h"
#include "metrics/registry.h"

namespace martlet::api {

enum class Page { kEdges, kSessions };

// What the api counts. Loop thread.
class ApiMetrics {
 public:
  explicit ApiMetrics(metrics::Registry& registry);

  void requested(Page page) { requests_.at(page).add(); }
  void refused(ErrorCode code) { errors_.at(code).add(); }
  void beat() { beats_.add(); }
  void bad_beat() { bad_beats_.add(); }
  void live_edges(std::size_t count) { edges_.set(static_cast<std::int64_t>(count)); }

 private:
  metrics::Family<metrics::Counter, Page> requests_;
  metrics::Family<metrics::Counter, ErrorCode> errors_;
  metrics::Counter& beats_;
  metrics::Counter& bad_beats_;
  metrics::Gauge& edges_;
};

}  // namespace martlet::api
