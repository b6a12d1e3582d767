#include "edge/timer_wheel.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace martlet::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonotonicTime kStart{seconds(1000)};

class TimerWheelTest : public testing::Test {
 protected:
  std::unique_ptr<TimerWheel::Entry> entry(int id) {
    return std::make_unique<TimerWheel::Entry>([this, id] { fired_.push_back(id); });
  }

  TimerWheel wheel_{kStart, seconds(1), 8};
  std::vector<int> fired_;
};

TEST_F(TimerWheelTest, FiresNeverBeforeTheDeadlineAndAtMostATickAfter) {
  const auto one = entry(1);
  wheel_.schedule(*one, kStart + milliseconds(2500));
  wheel_.advance(kStart + milliseconds(2499));
  EXPECT_TRUE(fired_.empty());
  wheel_.advance(kStart + milliseconds(3000));
  EXPECT_EQ(fired_, std::vector{1});
  EXPECT_FALSE(one->is_scheduled());
}

TEST_F(TimerWheelTest, ADeadlineOnATickFiresOnThatTick) {
  const auto one = entry(1);
  wheel_.schedule(*one, kStart + seconds(2));
  wheel_.advance(kStart + seconds(2));
  EXPECT_EQ(fired_, std::vector{1});
}

TEST_F(TimerWheelTest, ADeadlineInThePastFiresOnTheNextTick) {
  wheel_.advance(kStart + seconds(5));
  const auto one = entry(1);
  wheel_.schedule(*one, kStart);
  wheel_.advance(kStart + seconds(6));
  EXPECT_EQ(fired_, std::vector{1});
}

TEST_F(TimerWheelTest, SchedulingAgainReplaces) {
  const auto one = entry(1);
  wheel_.schedule(*one, kStart + seconds(2));
  wheel_.schedule(*one, kStart + seconds(4));
  wheel_.advance(kStart + seconds(3));
  EXPECT_TRUE(fired_.empty());
  wheel_.advance(kStart + seconds(4));
  EXPECT_EQ(fired_, std::vector{1});
}

TEST_F(TimerWheelTest, ADelayLongerThanTheWheelWaitsForItsRound) {
  const auto one = entry(1);
  wheel_.schedule(*one, kStart + seconds(20));
  for (int second = 1; second < 20; ++second) wheel_.advance(kStart + seconds(second));
  EXPECT_TRUE(fired_.empty());
  wheel_.advance(kStart + seconds(20));
  EXPECT_EQ(fired_, std::vector{1});
}

TEST_F(TimerWheelTest, AfterALongSleepEverythingDueFiresOnce) {
  const auto one = entry(1);
  const auto two = entry(2);
  const auto later = entry(3);
  wheel_.schedule(*one, kStart + seconds(1));
  wheel_.schedule(*two, kStart + seconds(30));
  wheel_.schedule(*later, kStart + seconds(300));
  wheel_.advance(kStart + seconds(100));
  EXPECT_EQ(fired_.size(), 2u);
  wheel_.advance(kStart + seconds(300));
  EXPECT_EQ(fired_.size(), 3u);
}

TEST_F(TimerWheelTest, CancelledAndDestroyedEntriesDoNotFire) {
  const auto cancelled = entry(1);
  auto destroyed = entry(2);
  wheel_.schedule(*cancelled, kStart + seconds(1));
  wheel_.schedule(*destroyed, kStart + seconds(1));
  TimerWheel::cancel(*cancelled);
  destroyed.reset();
  wheel_.advance(kStart + seconds(2));
  EXPECT_TRUE(fired_.empty());
}

TEST_F(TimerWheelTest, AnEntryMayDestroyItselfAndOthersOfItsSlot) {
  std::unique_ptr<TimerWheel::Entry> self;
  auto other = entry(2);
  self = std::make_unique<TimerWheel::Entry>([&] {
    fired_.push_back(1);
    other.reset();
    self.reset();
  });
  wheel_.schedule(*self, kStart + seconds(1));
  wheel_.schedule(*other, kStart + seconds(1));
  wheel_.advance(kStart + seconds(1));
  EXPECT_EQ(fired_, std::vector{1});
}

TEST_F(TimerWheelTest, AnEntryMayScheduleItselfAgain) {
  int count = 0;
  std::unique_ptr<TimerWheel::Entry> self;
  self = std::make_unique<TimerWheel::Entry>([&] {
    ++count;
    wheel_.schedule(*self, kStart + seconds(count + 1));
  });
  wheel_.schedule(*self, kStart + seconds(1));
  for (int second = 1; second <= 5; ++second) wheel_.advance(kStart + seconds(second));
  EXPECT_EQ(count, 5);
}

TEST_F(TimerWheelTest, ADeadlineThatMovesWithinItsTickCostsNothing) {
  const auto one = entry(1);
  EXPECT_TRUE(wheel_.schedule(*one, kStart + milliseconds(2100)));
  EXPECT_FALSE(wheel_.schedule(*one, kStart + milliseconds(2101)));
  EXPECT_FALSE(wheel_.schedule(*one, kStart + milliseconds(2999)));
  EXPECT_TRUE(wheel_.schedule(*one, kStart + milliseconds(3001)));
}

}  // namespace
}  // namespace martlet::edge
