#include "bench/pace.h"

#include <gtest/gtest.h>

namespace martlet::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonotonicTime kStart{seconds(1000)};

TEST(OpenSchedule, EachMessageIsDueAtItsOwnTime) {
  OpenSchedule schedule(100, kStart);
  EXPECT_EQ(schedule.take(kStart), kStart);
  EXPECT_EQ(schedule.take(kStart + milliseconds(9)), std::nullopt);
  EXPECT_EQ(schedule.take(kStart + milliseconds(10)), kStart + milliseconds(10));
  EXPECT_EQ(schedule.take(kStart + milliseconds(10)), std::nullopt);
}

// What a stalled sender catches up with keeps the times at which it was meant to leave.
TEST(OpenSchedule, WhoComesLateGetsEverythingThatWasDue) {
  OpenSchedule schedule(1000, kStart);
  const MonotonicTime late = kStart + seconds(1);
  for (int i = 0; i <= 1000; ++i) ASSERT_EQ(schedule.take(late), kStart + milliseconds(i)) << i;
  EXPECT_EQ(schedule.take(late), std::nullopt);
}

TEST(OpenSchedule, ABurstHasASecondsMessagesInAPartOfIt) {
  OpenSchedule schedule(4, kStart, 0.1);
  const MonotonicTime late = kStart + seconds(2);
  for (const int ms : {0, 25, 50, 75, 1000, 1025, 1050, 1075, 2000}) {
    const auto due = schedule.take(late);
    ASSERT_TRUE(due);
    EXPECT_NEAR(std::chrono::duration<double>(*due - kStart).count(), ms / 1000.0, 1e-6);
  }
  EXPECT_EQ(schedule.take(late), std::nullopt);
}

TEST(OpenSchedule, AnOddRateDoesNotDrift) {
  OpenSchedule schedule(7777, kStart);
  int taken = 0;
  while (schedule.take(kStart + seconds(600) - milliseconds(1))) ++taken;
  EXPECT_NEAR(taken, 7777 * 600, 8);
}

}  // namespace
}  // namespace martlet::bench
