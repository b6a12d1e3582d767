#include "dispatcher/fanout_meter.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime kNow{1s};
constexpr std::size_t kMembers = 1'000;
constexpr FanoutRates kRates{.group = 10'000, .sender = 5'000};

// How many messages of theirs may go at once.
int burst(FanoutMeter& meter, const char* sender, std::size_t members = kMembers,
          MonotonicTime now = kNow, const char* name = "team") {
  int count = 0;
  while (meter.charge(group(name), user(sender), members, now) == 0s) {
    if (++count == 10'000) break;
  }
  return count;
}

TEST(FanoutMeter, ASenderHasItsBurstAndThenItsRate) {
  FanoutMeter meter(kRates);
  EXPECT_EQ(burst(meter, "ann"), 5 * kDeliveriesBurstSeconds);
  EXPECT_EQ(burst(meter, "ann", kMembers, kNow + 1s), 5);
}

TEST(FanoutMeter, TellsHowLongToWait) {
  FanoutMeter meter(kRates);
  burst(meter, "ann");
  const Duration wait = meter.charge(group("team"), user("ann"), kMembers, kNow);
  EXPECT_GT(wait, 0s);
  EXPECT_LE(wait, 200ms);
  EXPECT_EQ(meter.charge(group("team"), user("ann"), kMembers, kNow + wait), 0s);
}

TEST(FanoutMeter, OneSenderDoesNotTakeItFromTheOthers) {
  FanoutMeter meter(kRates);
  burst(meter, "ann");
  EXPECT_EQ(burst(meter, "bob"), 5 * kDeliveriesBurstSeconds);
}

TEST(FanoutMeter, AllTogetherHaveTheGroupsRate) {
  FanoutMeter meter(kRates);
  burst(meter, "ann");
  burst(meter, "bob");
  EXPECT_EQ(burst(meter, "carol"), 0);
  EXPECT_EQ(burst(meter, "carol", kMembers, kNow, "other"), 5 * kDeliveriesBurstSeconds);
}

TEST(FanoutMeter, AMessageToMoreThanABurstGoes) {
  FanoutMeter meter({.group = 100, .sender = 100});
  EXPECT_EQ(meter.charge(group("team"), user("ann"), 5'000, kNow), 0s);
  EXPECT_GT(meter.charge(group("team"), user("ann"), 5'000, kNow), 40s);
}

TEST(FanoutMeter, ZeroIsNoLimit) {
  FanoutMeter meter({.group = 0, .sender = 0});
  EXPECT_EQ(burst(meter, "ann"), 10'000);
}

}  // namespace
}  // namespace martlet::dispatcher::testing
