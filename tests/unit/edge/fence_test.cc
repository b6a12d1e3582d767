#include "edge/fence.h"

#include <gtest/gtest.h>

namespace martlet::edge {
namespace {

using Verdict = ShardFence::Verdict;

Ownership ownership(std::uint32_t generation, std::uint64_t epoch) {
  return {Generation(generation), Epoch(epoch)};
}

TEST(ShardFence, TheFirstIsNewAndTheSameIsCurrent) {
  ShardFence fence;
  EXPECT_EQ(fence.see(ShardId(1), ownership(1, 5)), Verdict::kNewer);
  EXPECT_EQ(fence.see(ShardId(1), ownership(1, 5)), Verdict::kCurrent);
}

TEST(ShardFence, ALowerEpochIsStale) {
  ShardFence fence;
  fence.see(ShardId(1), ownership(1, 5));
  EXPECT_EQ(fence.see(ShardId(1), ownership(1, 4)), Verdict::kStale);
  EXPECT_EQ(fence.see(ShardId(1), ownership(1, 5)), Verdict::kCurrent);
}

TEST(ShardFence, AHigherGenerationBeatsAnyEpoch) {
  ShardFence fence;
  fence.see(ShardId(1), ownership(1, 500));
  EXPECT_EQ(fence.see(ShardId(1), ownership(2, 1)), Verdict::kNewer);
  EXPECT_EQ(fence.see(ShardId(1), ownership(1, 501)), Verdict::kStale);
}

TEST(ShardFence, ShardsAreJudgedApart) {
  ShardFence fence;
  fence.see(ShardId(1), ownership(1, 5));
  EXPECT_EQ(fence.see(ShardId(2), ownership(1, 1)), Verdict::kNewer);
}

}  // namespace
}  // namespace martlet::edge
