#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/clock.h"

namespace martlet::metrics {

// The three kinds of numbers. A registry makes and owns them (metrics/registry.h); modules keep
// references. Counting is lock-free and may happen on any thread.

// Only grows.
class Counter {
 public:
  Counter() = default;
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

// Goes up and down.
class Gauge {
 public:
  Gauge() = default;
  Gauge(const Gauge&) = delete;
  Gauge& operator=(const Gauge&) = delete;

  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  void sub(std::int64_t n = 1) { value_.fetch_sub(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_ = 0;
};

// Ascending upper bounds of a histogram; the bucket above the last bound is always there.
class Buckets {
 public:
  static Buckets fixed(std::vector<double> bounds);
  // From lowest to at least highest; each doubling is cut into `steps` equal parts.
  static Buckets log_linear(double lowest, double highest, int steps);
  static Buckets seconds();  // 50 us to 52 s
  static Buckets bytes();    // 64 B to 1 MiB
  static Buckets counts();   // 1 to 4,096

  const std::vector<double>& bounds() const { return bounds_; }

 private:
  explicit Buckets(std::vector<double> bounds);
  std::vector<double> bounds_;
};

// How often which sizes occurred. A value equal to a bound belongs to that bound's bucket.
class Histogram {
 public:
  explicit Histogram(const Buckets& buckets);
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  void observe(double value);
  void observe(Duration duration);  // in seconds

  const std::vector<double>& bounds() const { return bounds_; }
  // How many values are in the bucket; index bounds().size() is the one above the last bound.
  std::uint64_t in_bucket(std::size_t index) const;
  std::uint64_t count() const;
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::deque<std::atomic<std::uint64_t>> buckets_;
  std::atomic<double> sum_ = 0;
};

}  // namespace martlet::metrics
