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
  if (desired_ == 0)
    desired_ = std::max<std::uint32_t>(std::min(whole(need_), options_.max_edges), edges.size());
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
  reason_ = "none";
  for (const auto& one : needs) {
    if (one.need <= need_) continue;
    need_ = one.need;
    reason_ = one.name;
  }
}

// What counts is what held all the time: of the numbers above the present one the least, of those
// below it the greatest. One peak or one gap decides nothing.
void DesiredEdges::decide(MonotonicTime now) {
  const std::uint32_t up = std::min(whole(need_), options_.max_edges);
  const std::uint32_t down = std::min(whole(need_ * kScaleDownRoom), options_.max_edges);
  if (up <= desired_) above_.reset();
  if (down >= desired_) below_.reset();
  if (up > desired_) {
    if (!above_) above_ = {now, up};
    above_->edges = std::min(above_->edges, up);
    if (now - above_->since >= options_.up_after) turn(above_->edges, 1, now);
  } else if (down < desired_) {
    if (!below_) below_ = {now, down};
    below_->edges = std::max(below_->edges, down);
    if (now - below_->since >= options_.down_after) turn(below_->edges, -1, now);
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
  above_.reset();
  below_.reset();
}

}  // namespace martlet::api
