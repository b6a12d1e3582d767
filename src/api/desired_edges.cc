#include "api/desired_edges.h"

#include <algorithm>
#include <cmath>

#include "api/limits.h"

namespace martlet::api {
namespace {

std::uint32_t whole(double edges) {
  return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(std::ceil(edges - 1e-9)));
}

}  // namespace

void DesiredEdges::look(const std::vector<EdgeInfo>& edges, MonotonicTime now) {
  // Nobody is heard: the broker or all edges are away, which says nothing about the load.
  if (edges.empty()) return;
  measure(edges);
  if (desired_ == 0) desired_ = std::max<std::uint32_t>(whole(need_), edges.size());
  decide(now);
}

// What is shared evenly counts by its sum. Lag does not add up: the edges need to be as many times
// more as their median lag is above its mark, and when it is below it says nothing.
void DesiredEdges::measure(const std::vector<EdgeInfo>& edges) {
  double connections = 0;
  double cpu = 0;
  double output = 0;
  std::vector<std::uint32_t> lags;
  for (const EdgeInfo& edge : edges) {
    connections += edge.connections;
    cpu += edge.cpu_permille;
    output += static_cast<double>(edge.output_bytes_per_s);
    lags.push_back(edge.loop_lag_us);
  }
  std::nth_element(lags.begin(), lags.begin() + std::ptrdiff_t(lags.size() / 2), lags.end());
  const double lag = lags[lags.size() / 2] / (1000 * to_ms<double>(options_.loop_lag));
  const struct {
    std::string_view name;
    double need;
  } needs[] = {{"connections", connections / options_.connections},
               {"cpu", cpu / options_.cpu_permille},
               {"output", output / static_cast<double>(options_.output_bytes_per_s)},
               {"loop_lag", lag > 1 ? std::min(lag, 2.0) * double(edges.size()) : 0}};
  need_ = 0;
  for (const auto& one : needs) {
    if (one.need < need_) continue;
    need_ = one.need;
    reason_ = one.name;
  }
}

void DesiredEdges::decide(MonotonicTime now) {
  const std::uint32_t up = whole(need_);
  const std::uint32_t down = whole(need_ * kScaleDownRoom);
  if (up <= desired_) above_since_.reset();
  if (down >= desired_) below_since_.reset();
  if (up > desired_) {
    if (!above_since_) above_since_ = now;
    if (now - *above_since_ >= options_.up_after) turn(up, 1, now);
  } else if (down < desired_) {
    if (!below_since_) below_since_ = now;
    if (now - *below_since_ >= options_.down_after) turn(down, -1, now);
  }
}

bool DesiredEdges::may_turn(int direction, MonotonicTime now) const {
  return direction_ == 0 || direction_ == direction || now - turned_ >= kScaleTurn;
}

void DesiredEdges::turn(std::uint32_t to, int direction, MonotonicTime now) {
  if (!may_turn(direction, now)) return;
  desired_ = to;
  direction_ = direction;
  turned_ = now;
  above_since_.reset();
  below_since_.reset();
}

}  // namespace martlet::api
