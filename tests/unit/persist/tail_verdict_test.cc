#include "persist/tail_verdict.h"

#include <gtest/gtest.h>

namespace martlet::persist {
namespace {

using bus::LogSequence;

store::ShardState row(std::uint64_t watermark, std::uint64_t base = 0) {
  return {LogPosition(watermark), base, Generation(1)};
}

TEST(TailVerdict, ALogThatGoesToTheWatermarkAndToWhatIsKnownIsWhole) {
  EXPECT_EQ(judge_tail(row(500), {}, LogSequence(500)), TailVerdict::kWhole);
  EXPECT_EQ(judge_tail(row(500), {}, LogSequence(1000)), TailVerdict::kWhole);
  EXPECT_EQ(judge_tail(row(500), LogPosition(1000), LogSequence(1000)), TailVerdict::kWhole);
  EXPECT_EQ(judge_tail(row(1500, 1000), LogPosition(1600), LogSequence(600)), TailVerdict::kWhole);
}

TEST(TailVerdict, AnEndBelowTheWatermarkIsALoss) {
  EXPECT_EQ(judge_tail(row(500), {}, LogSequence(499)), TailVerdict::kLost);
  EXPECT_EQ(judge_tail(row(1500, 1000), {}, LogSequence(499)), TailVerdict::kLost);
  EXPECT_EQ(judge_tail(row(500), LogPosition(1000), LogSequence(0)), TailVerdict::kLost);
}

TEST(TailVerdict, AnEndBelowWhatIsKnownIsALossThatWaitsForTheRest) {
  EXPECT_EQ(judge_tail(row(500), LogPosition(1000), LogSequence(900)), TailVerdict::kNotStored);
  EXPECT_EQ(judge_tail(row(899), LogPosition(1000), LogSequence(900)), TailVerdict::kNotStored);
  EXPECT_EQ(judge_tail(row(900), LogPosition(1000), LogSequence(900)), TailVerdict::kLost);
}

}  // namespace
}  // namespace martlet::persist
