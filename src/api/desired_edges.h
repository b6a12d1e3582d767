#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "api/edge_directory.h"
#include "base/clock.h"

namespace martlet::api {

// What one edge should carry at most, and how long it takes to believe that it is more or less.
struct ScaleOptions {
  std::uint32_t connections = 15'000;
  std::uint32_t cpu_permille = 700;  // of one core: an edge has one loop
  Duration loop_lag = std::chrono::milliseconds(50);
  std::uint64_t output_bytes_per_s = 50'000'000;  // to clients
  std::uint32_t max_edges = 1'000;                // more are never asked for
  Duration up_after = std::chrono::seconds(5);
  Duration down_after = std::chrono::seconds(60);
};

// How many edges the cluster needs, from what their heartbeats tell. More at once when a mark is
// passed for up_after, fewer when they would have room for kScaleDownRoom times the load for
// down_after; and never the other way within kScaleTurn. Between the two marks lies more than
// noise of 20 % up and down can cross. Each api has its own memory: one that has just started takes
// the edges that run for those that are needed. A pure core.
class DesiredEdges {
 public:
  explicit DesiredEdges(ScaleOptions options) : options_(options) {}

  // edges: that live and do not drain. Called about once a second.
  void look(const std::vector<EdgeInfo>& edges, MonotonicTime now);

  // At least 1; 0: nothing is known yet.
  std::uint32_t desired() const { return desired_; }
  // Edges' worth of the scarcest thing, and its name.
  double need() const { return need_; }
  std::string_view reason() const { return reason_; }

 private:
  void measure(const std::vector<EdgeInfo>& edges);
  void decide(MonotonicTime now);
  bool may_turn(int direction, MonotonicTime now) const;
  void turn(std::uint32_t to, int direction, MonotonicTime now);

  ScaleOptions options_;
  std::uint32_t desired_ = 0;
  double need_ = 0;
  std::string_view reason_ = "none";
  int direction_ = 0;
  MonotonicTime turned_{};
  struct Wish {
    MonotonicTime since;
    std::uint32_t edges;
  };
  std::optional<Wish> above_;
  std::optional<Wish> below_;
};

}  // namespace martlet::api
