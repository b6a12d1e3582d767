#include "metrics/metric.h"

#include <gtest/gtest.h>

#include <thread>

namespace martlet::metrics {
namespace {

TEST(Counter, CountsFromSeveralThreads) {
  Counter counter;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) counter.add();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 40'000U);
}

TEST(Gauge, GoesBelowZero) {
  Gauge gauge;
  gauge.set(2);
  gauge.sub(5);
  EXPECT_EQ(gauge.value(), -3);
}

TEST(Buckets, LogLinearCutsEachDoublingIntoEqualSteps) {
  const std::vector<double> want{1, 1.5, 2, 3, 4};
  EXPECT_EQ(Buckets::log_linear(1, 4, 2).bounds(), want);
}

TEST(Buckets, LogLinearReachesTheHighestValue) {
  EXPECT_GE(Buckets::log_linear(1, 5, 1).bounds().back(), 5);
}

TEST(Buckets, BoundsMustAscend) {
  EXPECT_DEATH(Buckets::fixed({1, 1}), "");
  EXPECT_DEATH(Buckets::fixed({}), "");
}

TEST(Histogram, AValueEqualToABoundBelongsToThatBucket) {
  Histogram histogram(Buckets::fixed({1, 2}));
  histogram.observe(1.0);
  EXPECT_EQ(histogram.in_bucket(0), 1U);
  histogram.observe(1.0000001);
  EXPECT_EQ(histogram.in_bucket(1), 1U);
}

TEST(Histogram, ValuesAboveTheLastBoundHaveTheirOwnBucket) {
  Histogram histogram(Buckets::fixed({1, 2}));
  histogram.observe(1e9);
  EXPECT_EQ(histogram.in_bucket(2), 1U);
  EXPECT_EQ(histogram.count(), 1U);
}

TEST(Histogram, DurationsAreCountedInSeconds) {
  Histogram histogram(Buckets::seconds());
  histogram.observe(std::chrono::milliseconds(1'500));
  EXPECT_DOUBLE_EQ(histogram.sum(), 1.5);
}

}  // namespace
}  // namespace martlet::metrics
