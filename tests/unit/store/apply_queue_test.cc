#include "store/apply_queue.h"

#include <gtest/gtest.h>

#include <map>

#include "store/limits.h"

namespace martlet::store {
namespace {

using Shards = std::vector<std::uint16_t>;

class ApplyQueueTest : public testing::Test {
 protected:
  void add(std::uint16_t shard, std::size_t bytes = 10, bool one_by_one = false) {
    ApplyRequest request{ShardId(shard), {}, {{LogPosition(1), Bytes(bytes, 'x')}}, one_by_one};
    queue_.add(std::move(request),
               [this, shard](const ApplyResult& result) { told_[shard] = result.outcome; });
  }
  // Keeps it under way.
  Shards take() {
    under_way_.push_back(queue_.take(now_));
    return shards_of(under_way_.back());
  }
  Duration again() const { return under_way_.back().again; }
  static Shards shards_of(const ApplyQueue::Together& together) {
    Shards shards;
    for (const ApplyRequest& request : together.requests) shards.push_back(request.shard.value());
    return shards;
  }
  void end(std::size_t which, const std::vector<ApplyOutcome>& outcomes) {
    std::vector<ApplyResult> results;
    for (const ApplyOutcome outcome : outcomes) results.push_back({outcome});
    queue_.ended(std::move(under_way_.at(which)), results);
    now_ += kApplyPause;
  }

  MonotonicTime now_{std::chrono::hours(1)};
  ApplyQueue queue_{3};
  std::vector<ApplyQueue::Together> under_way_;
  std::map<std::uint16_t, ApplyOutcome> told_;
};

constexpr auto kCommitted = ApplyOutcome::kCommitted;

TEST_F(ApplyQueueTest, AllThatWaitsGoesTogether) {
  add(4);
  add(1);
  add(2);
  EXPECT_EQ(take(), (Shards{4, 1, 2}));
  EXPECT_EQ(queue_.waiting(), 0u);
  end(0, {kCommitted, kCommitted, kCommitted});
  EXPECT_EQ(told_.size(), 3u);
}

TEST_F(ApplyQueueTest, WhatComesMeanwhileGoesWithTheNext) {
  add(1);
  EXPECT_EQ(take(), Shards{1});
  now_ += kApplyPause;
  add(2);
  add(3);
  EXPECT_EQ(take(), Shards{});
  EXPECT_EQ(again(), Duration(0)) << "it waits for no time";
  end(0, {kCommitted});
  EXPECT_EQ(take(), (Shards{2, 3}));
}

TEST_F(ApplyQueueTest, TheNextIsBegunAfterAPause) {
  add(1);
  EXPECT_EQ(take(), Shards{1});
  queue_.ended(std::move(under_way_.at(0)), {{kCommitted}});
  add(2);
  now_ += kApplyPause / 4;
  EXPECT_EQ(take(), Shards{});
  EXPECT_EQ(again(), kApplyPause - kApplyPause / 4);
  now_ += again();
  EXPECT_EQ(take(), Shards{2});
}

TEST_F(ApplyQueueTest, ASecondOneIsBegunWhenAsMuchWaitsAsItMayHold) {
  add(1);
  EXPECT_EQ(take(), Shards{1});
  add(2, kMaxTogetherBytes - 1);
  EXPECT_EQ(take(), Shards{});
  add(3, 1);
  EXPECT_EQ(take(), (Shards{2, 3}));
}

TEST_F(ApplyQueueTest, NeverMoreThanThereAreWriters) {
  for (std::uint16_t shard = 0; shard < 5; ++shard) add(shard, kMaxTogetherBytes);
  for (std::uint16_t shard = 0; shard < 3; ++shard) EXPECT_EQ(take(), Shards{shard});
  EXPECT_EQ(take(), Shards{});
  end(1, {kCommitted});
  EXPECT_EQ(take(), Shards{3});
}

TEST_F(ApplyQueueTest, HoldsNoMoreThanItMayButOneOfAnySize) {
  add(1, kMaxTogetherBytes + 1);
  add(2, kMaxTogetherBytes - 10);
  add(3, 10);
  add(4, 1);
  EXPECT_EQ(take(), Shards{1});
  EXPECT_EQ(take(), (Shards{2, 3}));
  EXPECT_EQ(take(), Shards{}) << "there is room in the next one";
}

TEST_F(ApplyQueueTest, WhatFailedTogetherIsDoneEachByItselfAndAtOnce) {
  add(1);
  add(2);
  take();
  end(0, {ApplyOutcome::kFenced, ApplyOutcome::kFenced});
  EXPECT_TRUE(told_.empty()) << "one of them is to blame, nobody knows which";
  EXPECT_EQ(take(), Shards{1});
  EXPECT_EQ(take(), Shards{2}) << "beside the other one";
  end(1, {ApplyOutcome::kFenced});
  EXPECT_EQ(told_.at(1), ApplyOutcome::kFenced);
  end(2, {kCommitted});
  EXPECT_EQ(told_.at(2), kCommitted);
}

TEST_F(ApplyQueueTest, OneThatFailedGoesAloneUntilItSucceeds) {
  add(1);
  take();
  end(0, {ApplyOutcome::kRetry});
  add(1);
  add(2);
  add(3);
  EXPECT_EQ(take(), (Shards{2, 3})) << "it holds up nobody";
  EXPECT_EQ(take(), Shards{1});
  end(1, {kCommitted, kCommitted});
  end(2, {kCommitted});
  add(1);
  add(2);
  EXPECT_EQ(take(), (Shards{1, 2}));
}

TEST_F(ApplyQueueTest, OneByOneGoesAlone) {
  add(1);
  add(2, 10, true);
  EXPECT_EQ(take(), Shards{1});
  EXPECT_EQ(take(), Shards{2});
}

// Committed or not: to do it again would be for somebody who has looked.
TEST_F(ApplyQueueTest, AnUnknownOutcomeIsToldToEverybody) {
  add(1);
  add(2);
  take();
  end(0, {ApplyOutcome::kUnknown, ApplyOutcome::kUnknown});
  EXPECT_EQ(told_.size(), 2u);
  EXPECT_EQ(queue_.waiting(), 0u);
}

TEST_F(ApplyQueueTest, AShardIsUnderWayOnce) {
  add(1);
  add(1);
  EXPECT_EQ(take(), Shards{1});
  end(0, {kCommitted});
  EXPECT_EQ(take(), Shards{1});
  add(1, 10, true);
  EXPECT_EQ(take(), Shards{});
}

TEST_F(ApplyQueueTest, TheListenerMayAddMore) {
  queue_.add({ShardId(1), {}, {{LogPosition(1), "x"}}}, [this](const ApplyResult&) { add(1); });
  take();
  end(0, {kCommitted});
  EXPECT_EQ(take(), Shards{1});
}

}  // namespace
}  // namespace martlet::store
