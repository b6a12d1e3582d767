#include "edge/frame_meter.h"

#include <gtest/gtest.h>

#include <string>

namespace martlet::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr MonotonicTime kStart{seconds(1000)};

TEST(TokenBucket, GivesItsBurstAndThenItsRate) {
  TokenBucket bucket(Rate{10, 5}, kStart);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(bucket.take(kStart));
  EXPECT_FALSE(bucket.take(kStart));
  EXPECT_EQ(bucket.wait(kStart), milliseconds(100));
  EXPECT_FALSE(bucket.take(kStart + milliseconds(99)));
  EXPECT_TRUE(bucket.take(kStart + milliseconds(101)));
  EXPECT_FALSE(bucket.take(kStart + milliseconds(101)));
}

TEST(TokenBucket, SavesNoMoreThanItsBurst) {
  TokenBucket bucket(Rate{10, 5}, kStart);
  int taken = 0;
  while (bucket.take(kStart + seconds(3600))) ++taken;
  EXPECT_EQ(taken, 5);
}

TEST(TokenBucket, ADebtIsPaidOffFirst) {
  TokenBucket bucket(Rate{60, 2, minutes(1)}, kStart);
  bucket.charge(12, kStart);
  EXPECT_EQ(bucket.wait(kStart), seconds(11));
  EXPECT_FALSE(bucket.is_full(kStart + milliseconds(11'900)));
  EXPECT_EQ(bucket.wait(kStart + milliseconds(11'001)), Duration(0));
  EXPECT_TRUE(bucket.is_full(kStart + seconds(13)));
}

TEST(RecentBuckets, FullOnesAreForgotten) {
  RecentBuckets<int> buckets(Rate{1, 2}, 100);
  for (int key = 0; key < 50; ++key) buckets.of(key, kStart).charge(1, kStart);
  EXPECT_EQ(buckets.size(), 50u);
  buckets.of(99, kStart + seconds(2));
  EXPECT_EQ(buckets.size(), 1u);
}

TEST(RecentBuckets, BeyondTheLimitTheLeastRecentlyUsedGoes) {
  RecentBuckets<int> buckets(Rate{1, 2}, 3);
  for (int key = 0; key < 3; ++key) buckets.of(key, kStart).charge(2, kStart);
  buckets.of(0, kStart);
  buckets.of(3, kStart);
  EXPECT_EQ(buckets.size(), 3u);
  EXPECT_GT(buckets.of(0, kStart).wait(kStart), Duration(0)) << "used again, kept";
  EXPECT_GT(buckets.of(2, kStart).wait(kStart), Duration(0)) << "kept";
  EXPECT_EQ(buckets.of(1, kStart).wait(kStart), Duration(0)) << "forgotten, and so new";
}

class FrameMeterTest : public testing::Test {
 protected:
  // How many frames of so many bytes go on now.
  int count(FrameMeter& meter, const UserId& user, std::size_t bytes = 0) {
    int frames = 0;
    while (frames < 1000) {
      verdict_ = meter.take(user, bytes, users_, now_);
      if (verdict_.wait > Duration(0)) break;
      ++frames;
    }
    return frames;
  }

  FrameRates rates_{.stranger = {1, 3}, .connection = {10, 20}, .user = {15, 30}};
  UserMeter users_{rates_.user};
  UserId ann_ = UserId::trusted("ann");
  MonotonicTime now_ = kStart;
  FrameMeter::Verdict verdict_;
};

TEST_F(FrameMeterTest, AConnectionHasItsOwnRate) {
  FrameMeter meter(rates_, now_);
  EXPECT_EQ(count(meter, ann_), 20);
  EXPECT_EQ(verdict_.by, ThrottledBy::kConnection);
  EXPECT_EQ(verdict_.wait, milliseconds(100));
  now_ += milliseconds(1001);
  EXPECT_EQ(count(meter, ann_), 10);
}

TEST_F(FrameMeterTest, TheConnectionsOfAUserShareOne) {
  FrameMeter one(rates_, now_);
  FrameMeter two(rates_, now_);
  FrameMeter other(rates_, now_);
  EXPECT_EQ(count(one, ann_), 20);
  EXPECT_EQ(count(two, ann_), 10);
  EXPECT_EQ(verdict_.by, ThrottledBy::kUser);
  EXPECT_EQ(count(other, UserId::trusted("bob")), 20) << "others are not concerned";
}

TEST_F(FrameMeterTest, AFrameThatTheUsersRateHoldsBackCostsTheConnectionNothing) {
  FrameMeter one(rates_, now_);
  FrameMeter two(rates_, now_);
  count(one, ann_);
  count(two, ann_);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(count(two, ann_), 0);
  now_ += milliseconds(701);
  EXPECT_EQ(count(two, ann_), 10);
  EXPECT_EQ(verdict_.by, ThrottledBy::kUser);
}

TEST_F(FrameMeterTest, AStrangerHasALowerOne) {
  FrameMeter meter(rates_, now_);
  EXPECT_EQ(count(meter, {}), 3);
  EXPECT_EQ(verdict_.by, ThrottledBy::kStranger);
  EXPECT_EQ(count(meter, ann_), 20) << "forgotten with AUTH";
}

TEST_F(FrameMeterTest, WhatAFrameCostsBesideIsPaidByTheNextOnes) {
  FrameMeter meter(rates_, now_);
  FrameMeter other(rates_, now_);
  EXPECT_EQ(count(meter, ann_), 20);
  meter.charge(ann_, 10, users_, now_);
  now_ += milliseconds(1'001);
  EXPECT_EQ(count(meter, ann_), 0);
  now_ += milliseconds(1'000);
  EXPECT_EQ(count(meter, ann_), 10);
  EXPECT_EQ(count(other, ann_), 20) << "the user's bucket has paid its own";
}

TEST_F(FrameMeterTest, ALongFrameCountsForItsSize) {
  FrameMeter meter(rates_, now_);
  EXPECT_EQ(count(meter, ann_, kMaxBodyBytes), 2) << "17 each, the second one on credit";
  now_ += milliseconds(1'401);
  EXPECT_EQ(count(meter, ann_), 0);
  now_ += milliseconds(100);
  EXPECT_EQ(count(meter, ann_), 1);
}

TEST_F(FrameMeterTest, ZeroIsNoLimit) {
  rates_ = {.stranger = {0, 1}, .connection = {0, 1}, .user = {0, 1}};
  UserMeter users(rates_.user);
  FrameMeter meter(rates_, now_);
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_EQ(meter.take(ann_, kMaxBodyBytes, users, now_).wait, Duration(0));
    EXPECT_EQ(meter.take({}, kMaxBodyBytes, users, now_).wait, Duration(0));
  }
}

}  // namespace
}  // namespace martlet::edge
