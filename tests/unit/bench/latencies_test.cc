#include "bench/latencies.h"

#include <gtest/gtest.h>

namespace martlet::bench {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(Latencies, NoLatencyHasNoPercentile) {
  EXPECT_EQ(Latencies().percentile_ms(0.5), std::nullopt);
}

TEST(Latencies, APercentileIsTheLatencyThatSoManyDoNotPass) {
  Latencies latencies;
  for (int ms = 100; ms >= 1; --ms) latencies.add(milliseconds(ms));
  EXPECT_EQ(latencies.percentile_ms(0.5), 50);
  EXPECT_EQ(latencies.percentile_ms(0.99), 99);
  EXPECT_EQ(latencies.percentile_ms(0.991), 100);
  EXPECT_EQ(latencies.percentile_ms(0), 1);
  EXPECT_EQ(latencies.percentile_ms(1), 100);
}

TEST(Latencies, TheFewSlowOnesAreNotHiddenByTheMany) {
  Latencies latencies;
  for (int i = 0; i < 98; ++i) latencies.add(milliseconds(1));
  latencies.add(milliseconds(700));
  latencies.add(milliseconds(900));
  EXPECT_EQ(latencies.percentile_ms(0.98), 1);
  EXPECT_EQ(latencies.percentile_ms(0.99), 700);
}

TEST(Latencies, MicrosecondsCountAndTheImpossibleIsCut) {
  Latencies latencies;
  latencies.add(microseconds(1234));
  EXPECT_EQ(latencies.percentile_ms(1), 1.234);
  latencies.add(microseconds(-5));
  EXPECT_EQ(latencies.percentile_ms(0), 0);
  latencies.add(hours(1000));
  EXPECT_EQ(latencies.percentile_ms(1), UINT32_MAX / 1000.0);
}

}  // namespace
}  // namespace martlet::bench
