#include "client/reconnect_pace.h"

#include <gtest/gtest.h>

#include <set>

namespace martlet::client {
namespace {

using namespace std::chrono_literals;

class ReconnectPaceTest : public testing::Test {
 protected:
  Duration fail() { return pace_.next(random_, now_); }
  // A connection that was signed in and lasted so long.
  Duration lose(Duration lasted) {
    pace_.signed_in(now_);
    now_ += lasted;
    return pace_.next(random_, now_);
  }

  MonotonicTime now_{1h};
  SeededRandom random_{7};
  ReconnectPace pace_;
};

TEST_F(ReconnectPaceTest, AttemptsThatFailWaitLongerEachTime) {
  EXPECT_LE(fail(), kReconnectMin * 3 / 2);
  Duration longest{};
  for (int i = 0; i < 20; ++i) longest = std::max(longest, fail());
  EXPECT_GT(longest, kReconnectMax * 3 / 4);
  EXPECT_LE(longest, kReconnectMax * 3 / 2);
}

TEST_F(ReconnectPaceTest, ALostSessionIsFollowedSoonWhateverFailedBefore) {
  for (int i = 0; i < 20; ++i) fail();
  EXPECT_LE(lose(1s), kReconnectMin * 3 / 2);
  EXPECT_LE(fail(), kReconnectMin * 3 / 2) << "the failures are counted anew";
}

TEST_F(ReconnectPaceTest, EdgesThatDieEachSecondNeverMakeItWaitLong) {
  for (int i = 0; i < 50; ++i) EXPECT_LE(lose(1s), kReconnectMaxAfterSession * 3 / 2);
}

TEST_F(ReconnectPaceTest, SessionsThatEndAtOnceAreNoStorm) {
  for (int i = 0; i < 5; ++i) lose(0s);
  for (int i = 0; i < 50; ++i) EXPECT_GE(lose(0s), kReconnectMaxAfterSession / 2);
}

TEST_F(ReconnectPaceTest, AStableSessionForgetsTheShortOnes) {
  for (int i = 0; i < 5; ++i) lose(1s);
  EXPECT_LE(lose(kStableAfter), kReconnectMin * 3 / 2);
}

TEST_F(ReconnectPaceTest, ClientsOfOneEdgeDoNotComeBackTogether) {
  std::set<Duration> waits;
  for (int i = 0; i < 20; ++i) waits.insert(lose(kStableAfter));
  EXPECT_EQ(waits.size(), 20U);
  EXPECT_GT(*waits.rbegin() - *waits.begin(), kReconnectMin / 2);
}

}  // namespace
}  // namespace martlet::client
