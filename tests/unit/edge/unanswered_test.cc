#include "edge/unanswered.h"

#include <gtest/gtest.h>

namespace martlet::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonotonicTime kStart{seconds(1000)};
constexpr ShardId kShard(3);

struct Port : UnansweredPort {
  std::vector<std::string> published;
  std::uint32_t published_before = 0;  // the last one
  std::vector<std::uint32_t> timed_out;
  std::vector<ShardId> credit;
  std::size_t repeated = 0;

  void publish(const OutgoingFrame& frame, std::uint32_t times) override {
    published.push_back(frame.payload);
    published_before = times;
  }
  void on_repeated(std::size_t frames) override { repeated += frames; }
  void on_timed_out(const OutgoingFrame& frame) override {
    timed_out.push_back(frame.key.request_id);
  }
  void on_credit(ShardId shard) override { credit.push_back(shard); }
};

ClientMsgId msg_id(std::uint8_t n) {
  ClientMsgId id;
  id.bytes[15] = n;
  return id;
}

class UnansweredTest : public testing::Test {
 protected:
  void make(UnansweredLimits limits = {}) { unanswered_.emplace(kStart, limits, port_); }
  void SetUp() override { make(); }

  void add(std::uint32_t request, MonotonicTime now = kStart, ShardId shard = kShard) {
    unanswered_->add({.key = {kSession, request},
                      .shard = shard,
                      .client_msg_id = msg_id(std::uint8_t(request)),
                      .subject = "s",
                      .payload = std::to_string(request)},
                     now);
  }
  bool settle(std::uint32_t request) {
    return unanswered_->settle({kSession, request}, msg_id(std::uint8_t(request)));
  }
  // In ticks of 100 ms.
  void advance_to(Duration since_start) {
    for (; now_ < kStart + since_start; now_ += milliseconds(100)) unanswered_->advance(now_);
    unanswered_->advance(now_);
  }
  std::vector<std::string> take_published() { return std::exchange(port_.published, {}); }

  static constexpr SessionId kSession{1, 2};
  Port port_;
  std::optional<Unanswered> unanswered_;
  MonotonicTime now_ = kStart;
};

using Strings = std::vector<std::string>;

TEST_F(UnansweredTest, PublishesAtOnce) {
  add(1);
  EXPECT_EQ(port_.published, Strings{"1"});
}

TEST_F(UnansweredTest, RepeatsAfterOneTwoAndFourSeconds) {
  add(1);
  take_published();
  advance_to(milliseconds(900));
  EXPECT_EQ(take_published(), Strings{});
  advance_to(milliseconds(1100));
  EXPECT_EQ(take_published(), Strings{"1"});
  advance_to(milliseconds(2900));
  EXPECT_EQ(take_published(), Strings{});
  advance_to(milliseconds(3300));
  EXPECT_EQ(take_published(), Strings{"1"});
  advance_to(milliseconds(7500));
  EXPECT_EQ(take_published(), Strings{"1"});
}

TEST_F(UnansweredTest, GivesUpAfterTwelveSecondsOnce) {
  add(1);
  advance_to(milliseconds(11'900));
  EXPECT_TRUE(port_.timed_out.empty());
  advance_to(milliseconds(12'200));
  EXPECT_EQ(port_.timed_out, std::vector<std::uint32_t>{1});
  EXPECT_EQ(unanswered_->size(), 0u);
  take_published();
  advance_to(seconds(30));
  EXPECT_EQ(take_published(), Strings{});
  EXPECT_EQ(port_.timed_out.size(), 1u);
}

TEST_F(UnansweredTest, AnAnswerEndsItOnce) {
  add(1);
  EXPECT_TRUE(settle(1));
  EXPECT_FALSE(settle(1));
  take_published();
  advance_to(seconds(20));
  EXPECT_EQ(take_published(), Strings{});
  EXPECT_TRUE(port_.timed_out.empty());
}

TEST_F(UnansweredTest, AnAnswerAboutAnotherMessageDoesNotMatch) {
  add(1);
  EXPECT_FALSE(unanswered_->settle({kSession, 1}, msg_id(9)));
  EXPECT_FALSE(unanswered_->settle({kSession, 2}, msg_id(1)));
  EXPECT_FALSE(unanswered_->settle({SessionId{7, 7}, 1}, msg_id(1)));
  EXPECT_EQ(unanswered_->size(), 1u);
}

TEST_F(UnansweredTest, ANewOwnerGetsTheFramesOfItsShardInTheirOrder) {
  for (std::uint32_t i = 1; i <= 5; ++i) add(i);
  add(6, kStart, ShardId(4));
  settle(2);
  take_published();
  unanswered_->republish(kShard, kStart + milliseconds(10));
  EXPECT_EQ(take_published(), (Strings{"1", "3", "4", "5"}));
}

TEST_F(UnansweredTest, PublishingToANewOwnerDoesNotProlongTheDeadline) {
  add(1);
  advance_to(seconds(11));
  unanswered_->republish(kShard, now_);
  advance_to(milliseconds(12'200));
  EXPECT_EQ(port_.timed_out.size(), 1u);
}

TEST_F(UnansweredTest, TheBrokersReturnRepeatsAllShards) {
  add(1);
  add(2, kStart, ShardId(4));
  take_published();
  unanswered_->republish_all(kStart);
  EXPECT_EQ(take_published().size(), 2u);
}

TEST_F(UnansweredTest, AShardAtItsLimitHasNoCreditAndTellsWhenItHas) {
  make({.max_frames_per_shard = 2});
  add(1);
  add(2);
  EXPECT_FALSE(unanswered_->has_credit(kShard));
  EXPECT_TRUE(unanswered_->has_credit(ShardId(4)));
  settle(1);
  EXPECT_EQ(port_.credit, std::vector{kShard});
  EXPECT_TRUE(unanswered_->has_credit(kShard));
}

TEST_F(UnansweredTest, BytesCountAsCreditToo) {
  make({.max_bytes_per_shard = 2});
  add(10);
  EXPECT_FALSE(unanswered_->has_credit(kShard));
  settle(10);
  EXPECT_TRUE(unanswered_->has_credit(kShard));
  EXPECT_EQ(unanswered_->bytes(), 0u);
}

TEST_F(UnansweredTest, ATimeoutReturnsCredit) {
  make({.max_frames_per_shard = 1});
  add(1);
  advance_to(seconds(13));
  EXPECT_EQ(port_.credit, std::vector{kShard});
}

TEST_F(UnansweredTest, ADroppedFrameIsNotRepeated) {
  add(1);
  unanswered_->drop({kSession, 1});
  unanswered_->drop({kSession, 1});
  take_published();
  advance_to(seconds(20));
  EXPECT_EQ(take_published(), Strings{});
}

TEST_F(UnansweredTest, RepeatsStayBelowATenthOfTheTraffic) {
  make({.repeats_per_second = 0, .repeat_burst = 10});
  for (std::uint32_t i = 0; i < 1000; ++i) add(i + 1);
  advance_to(milliseconds(11'900));
  // Ten to begin with, and never more than ten saved up.
  EXPECT_LE(port_.repeated, 10u);
  EXPECT_GT(port_.repeated, 0u);
}

TEST_F(UnansweredTest, ARepeatWithoutAllowanceIsMadeUpForLater) {
  make({.repeats_per_second = 1, .repeat_burst = 1});
  add(1);
  add(2);
  advance_to(milliseconds(1200));
  EXPECT_EQ(port_.repeated, 1u);
  advance_to(milliseconds(4000));
  EXPECT_GE(port_.repeated, 2u);
}

TEST_F(UnansweredTest, PublishesWhatItHeldBackOnceAndInOrder) {
  add(1);
  take_published();
  unanswered_->hold();
  add(2);
  advance_to(seconds(4));  // both are due to be repeated, more than once
  add(3);
  unanswered_->republish(kShard, now_);
  EXPECT_EQ(take_published(), Strings{});
  EXPECT_TRUE(settle(2));
  unanswered_->release(now_);
  EXPECT_EQ(take_published(), (Strings{"1", "3"}));
  unanswered_->release(now_);
  EXPECT_EQ(take_published(), Strings{});
  add(4);
  EXPECT_EQ(take_published(), Strings{"4"});
}

TEST_F(UnansweredTest, WhatWaitedTooLongIsNotPublishedAnyMore) {
  add(1);
  take_published();
  unanswered_->hold();
  unanswered_->republish(kShard, kStart + seconds(1));
  unanswered_->release(kStart + UnansweredLimits().timeout);
  EXPECT_EQ(take_published(), Strings{});
  unanswered_->republish(kShard, kStart + UnansweredLimits().timeout);
  EXPECT_EQ(take_published(), Strings{});
}

TEST_F(UnansweredTest, WhatIsHeldBackIsNoRepeat) {
  add(1);
  unanswered_->hold();
  advance_to(seconds(4));
  unanswered_->republish(kShard, now_);
  EXPECT_EQ(port_.repeated, 0u);
}

TEST_F(UnansweredTest, TellsAgainNothingOfWhatIsNotDue) {
  add(1);
  take_published();
  unanswered_->hold();
  unanswered_->release(now_);
  EXPECT_EQ(take_published(), Strings{});
}

}  // namespace
}  // namespace martlet::edge
