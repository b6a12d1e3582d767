#include "edge/credit_queue.h"

#include <gtest/gtest.h>

namespace martlet::edge {
namespace {

TEST(CreditQueue, FirstComeFirstServed) {
  CreditQueue queue;
  queue.wait(ShardId(1), 10);
  queue.wait(ShardId(1), 11);
  EXPECT_EQ(queue.next(ShardId(1)), 10u);
  EXPECT_EQ(queue.next(ShardId(1)), 11u);
  EXPECT_EQ(queue.next(ShardId(1)), std::nullopt);
}

TEST(CreditQueue, ALinkStandsInLineOnce) {
  CreditQueue queue;
  queue.wait(ShardId(1), 10);
  queue.wait(ShardId(1), 10);
  EXPECT_EQ(queue.next(ShardId(1)), 10u);
  EXPECT_EQ(queue.next(ShardId(1)), std::nullopt);
}

TEST(CreditQueue, AServedLinkMayWaitAgain) {
  CreditQueue queue;
  queue.wait(ShardId(1), 10);
  queue.next(ShardId(1));
  queue.wait(ShardId(1), 10);
  EXPECT_EQ(queue.next(ShardId(1)), 10u);
}

TEST(CreditQueue, KnowsWhichShardsAreWaitedFor) {
  CreditQueue queue;
  queue.wait(ShardId(3), 10);
  EXPECT_EQ(queue.shards(), std::vector{ShardId(3)});
  queue.next(ShardId(3));
  EXPECT_TRUE(queue.shards().empty());
}

}  // namespace
}  // namespace martlet::edge
