#include "persist/purge_plan.h"

#include <gtest/gtest.h>

namespace martlet::persist {
namespace {

using namespace std::chrono_literals;
using bus::LogInfo;
using bus::LogSequence;

class PurgePlanTest : public testing::Test {
 protected:
  std::optional<LogSequence> keep_from(std::uint64_t first, std::uint64_t last,
                                       std::uint64_t base = 0) {
    return plan_.keep_from({LogPosition(base + last), base, Generation(1)},
                           {ShardId(0), LogSequence(first), LogSequence(last), 0}, now_);
  }

  MonotonicTime now_{1h};
  PurgePlan plan_{30s};
};

TEST_F(PurgePlanTest, KeepsWhatWasStoredInTheLastHalfMinute) {
  plan_.stored(LogPosition(10), now_);
  now_ += 10s;
  plan_.stored(LogPosition(20), now_);
  now_ += 20s - 1ns;
  EXPECT_EQ(keep_from(1, 30), std::nullopt);
  now_ += 1ns;
  EXPECT_EQ(keep_from(1, 30), LogSequence(11));
  now_ += 10s;
  EXPECT_EQ(keep_from(1, 30), LogSequence(21));
}

TEST_F(PurgePlanTest, NeverDeletesTheLastEntry) {
  plan_.stored(LogPosition(30), now_);
  now_ += 31s;
  EXPECT_EQ(keep_from(1, 30), LogSequence(30));
  EXPECT_EQ(keep_from(30, 30), std::nullopt);
}

TEST_F(PurgePlanTest, NothingOfAnEmptyLog) {
  plan_.stored(LogPosition(30), now_);
  now_ += 31s;
  EXPECT_EQ(keep_from(1, 0), std::nullopt);
  EXPECT_EQ(keep_from(31, 30), std::nullopt);
}

TEST_F(PurgePlanTest, CountsSequencesFromTheBase) {
  plan_.stored(LogPosition(105), now_);
  now_ += 31s;
  EXPECT_EQ(keep_from(1, 20, 100), LogSequence(6));
  EXPECT_EQ(keep_from(1, 20, 200), std::nullopt) << "stored before the log was a new one";
}

TEST_F(PurgePlanTest, NothingWhenItWasDeletedBefore) {
  plan_.stored(LogPosition(10), now_);
  now_ += 31s;
  EXPECT_EQ(keep_from(11, 30), std::nullopt);
  EXPECT_EQ(keep_from(10, 30), LogSequence(11));
}

}  // namespace
}  // namespace martlet::persist
