#include "edge/timer_wheel.h"

#include <gtest/gtest.h>

#include <memory>

#include "edge/session.h"

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

// The heartbeat of many sessions, as the links use the wheel.
TEST(TimerWheelLoad, AHundredThousandSessionsExpireWithinASecondOfTheirDeadline) {
  constexpr int kSessions = 100'000;
  constexpr Duration kHeartbeat = seconds(30);
  SeededRandom random(7);
  TimerWheel wheel(kStart, seconds(1), 4096);
  struct Client {
    MonotonicTime heard;
    MonotonicTime expired;
    std::unique_ptr<TimerWheel::Entry> timer;
  };
  std::vector<Client> clients(kSessions);
  MonotonicTime now = kStart;
  std::size_t expired_now = 0;
  for (Client& client : clients) {
    client.timer = std::make_unique<TimerWheel::Entry>([&client, &now, &expired_now] {
      client.expired = now;
      ++expired_now;
    });
  }
  // Ten seconds of frames at random moments; every client's last one counts.
  for (int ms = 0; ms < 10'000; ms += 100) {
    now = kStart + milliseconds(ms);
    wheel.advance(now);
    for (int i = 0; i < kSessions / 30; ++i) {
      Client& client = clients[random.below(kSessions)];
      client.heard = now + Duration(random.below(100'000'000));
      wheel.schedule(*client.timer, client.heard + kHeartbeat);
    }
  }
  std::size_t total_work = 0;
  for (int tick = 0; tick <= 45; ++tick) {
    now = kStart + seconds(tick);
    expired_now = 0;
    const std::size_t work = wheel.advance(now);
    EXPECT_EQ(work, expired_now) << "a tick looks only at what expires";
    total_work += work;
  }
  std::size_t heard = 0;
  for (const Client& client : clients) {
    if (client.heard == MonotonicTime()) continue;
    ++heard;
    EXPECT_GE(client.expired - client.heard, kHeartbeat);
    EXPECT_LE(client.expired - client.heard, kHeartbeat + seconds(1));
  }
  EXPECT_GT(heard, std::size_t(kSessions) * 9 / 10);
  EXPECT_EQ(total_work, heard);
}

}  // namespace
}  // namespace martlet::edge
