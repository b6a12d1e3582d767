#include "metrics/metric.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace martlet::metrics {

Buckets::Buckets(std::vector<double> bounds) : bounds_(std::move(bounds)) {
  MARTLET_ASSERT(!bounds_.empty());
  // Strictly ascending: no neighbour is as great as the one after it.
  MARTLET_ASSERT(std::adjacent_find(bounds_.begin(), bounds_.end(), std::greater_equal<>()) ==
                 bounds_.end());
}

Buckets Buckets::fixed(std::vector<double> bounds) {
  return Buckets(std::move(bounds));
}

Buckets Buckets::log_linear(double lowest, double highest, int steps) {
  MARTLET_ASSERT(lowest > 0 && highest > lowest && steps > 0);
  std::vector<double> bounds{lowest};
  for (double base = lowest; bounds.back() < highest; base *= 2) {
    for (int step = 1; step <= steps; ++step) bounds.push_back(base + base * step / steps);
  }
  return Buckets(std::move(bounds));
}

Buckets Buckets::seconds() {
  return log_linear(0.00005, 52, 1);
}

Buckets Buckets::bytes() {
  return log_linear(64, 1024 * 1024, 1);
}

Buckets Buckets::counts() {
  return log_linear(1, 4096, 1);
}

Histogram::Histogram(const Buckets& buckets)
    : bounds_(buckets.bounds()), buckets_(bounds_.size() + 1) {}

void Histogram::observe(double value) {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  const auto index = static_cast<std::size_t>(bound - bounds_.begin());
  buckets_[index].fetch_add(1, std::memory_order_relaxed);
  double sum = sum_.load(std::memory_order_relaxed);
  while (!sum_.compare_exchange_weak(sum, sum + value, std::memory_order_relaxed)) {
  }
}

void Histogram::observe(Duration duration) {
  observe(std::chrono::duration<double>(duration).count());
}

std::uint64_t Histogram::in_bucket(std::size_t index) const {
  return buckets_.at(index).load(std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t total = 0;
  for (const auto& bucket : buckets_) total += bucket.load(std::memory_order_relaxed);
  return total;
}

}  // namespace martlet::metrics
