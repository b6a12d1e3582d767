#include "persist/barrier.h"

#include <gtest/gtest.h>

namespace martlet::persist {
namespace {

using namespace std::chrono_literals;
using bus::LogInfo;
using bus::LogSequence;

class BarrierTest : public testing::Test {
 protected:
  BarrierTest() {
    for (std::uint16_t i = 0; i < 4; ++i) stored(i, 0);
    watermarks_.on_change([this] { barrier_.watermarks_changed(); });
  }
  void stored(std::uint16_t shard, std::uint64_t watermark, std::uint64_t base = 0,
              std::uint32_t generation = 1) {
    watermarks_.learn(ShardId(shard), {LogPosition(watermark), base, Generation(generation)});
  }
  static LogInfo end(std::uint16_t shard, std::uint64_t last) {
    return {ShardId(shard), LogSequence(1), LogSequence(last), 0};
  }
  // Each released waiter leaves a letter, in capitals if behind.
  bool add(char letter, std::vector<ShardId> shards = {}) {
    return barrier_.add(std::move(shards), now_, [this, letter](bool behind) {
      released_ += behind ? static_cast<char>(letter - 'a' + 'A') : letter;
    });
  }
  void look_up(const std::vector<LogInfo>& ends, const std::vector<ShardId>& silent = {}) {
    barrier_.look_up_started(now_);
    barrier_.look_up_done(bus::LogInfos{ends, silent}, now_);
  }

  MonotonicTime now_{1h};
  Watermarks watermarks_{4};
  Barrier barrier_{watermarks_, {3, 2s, 20ms}};
  std::string released_;
};

TEST_F(BarrierTest, ReleasesAtOnceWhatIsStored) {
  stored(1, 5);
  add('a');
  EXPECT_EQ(released_, "") << "not before the logs were looked at";
  look_up({end(1, 5)});
  EXPECT_EQ(released_, "a");
}

TEST_F(BarrierTest, WaitsUntilTheLogsEndIsStored) {
  add('a');
  look_up({end(0, 2), end(1, 5)});
  stored(1, 5);
  EXPECT_EQ(released_, "");
  stored(0, 1);
  EXPECT_EQ(released_, "");
  stored(0, 2);
  EXPECT_EQ(released_, "a");
}

TEST_F(BarrierTest, LooksOnlyAtTheShardsThatMatter) {
  add('a', {ShardId(2)});
  look_up({end(0, 9), end(2, 1)});
  stored(2, 1);
  EXPECT_EQ(released_, "a");
}

TEST_F(BarrierTest, PositionsCountFromTheBase) {
  stored(1, 100, 90, 2);
  add('a', {ShardId(1)});
  look_up({end(1, 11)});
  EXPECT_EQ(released_, "");
  stored(1, 101, 90, 2);
  EXPECT_EQ(released_, "a");
}

TEST_F(BarrierTest, OneLookUpServesAllThatCameBefore) {
  add('a');
  add('b');
  EXPECT_EQ(barrier_.look_up_in(now_), Duration(0));
  look_up({});
  EXPECT_EQ(released_, "ab");
  EXPECT_FALSE(barrier_.look_up_in(now_ + 1s)) << "nobody waits";
}

TEST_F(BarrierTest, WhoComesDuringALookUpWaitsForTheNext) {
  add('a');
  barrier_.look_up_started(now_);
  add('b');
  EXPECT_FALSE(barrier_.look_up_in(now_ + 1s)) << "one at a time";
  barrier_.look_up_done(bus::LogInfos{}, now_ + 1ms);
  EXPECT_EQ(released_, "a");
  EXPECT_TRUE(barrier_.look_up_in(now_ + 1ms));
}

TEST_F(BarrierTest, LookUpsTakeHalfOfTheTimeAtMostAndWaitNoLongerThanThePeriod) {
  for (const auto& [took, pause] : {std::pair(0ms, 0ms), {3ms, 6ms}, {10ms, 20ms}, {500ms, 20ms}}) {
    add('a');
    barrier_.look_up_started(now_);
    add('b');
    barrier_.look_up_done(bus::LogInfos{}, now_ + took);
    const Duration rest = pause > took ? Duration(pause - took) : Duration(0);
    EXPECT_EQ(barrier_.look_up_in(now_ + took), rest);
    EXPECT_EQ(barrier_.look_up_in(now_ + took + 1s), Duration(0));
    now_ += 2s;
    look_up({});
  }
}

TEST_F(BarrierTest, SaysWhenSomebodyBeginsToWait) {
  int added = 0;
  barrier_.on_add([&] { ++added; });
  add('a');
  EXPECT_EQ(added, 1);
}

TEST_F(BarrierTest, SaysBehindWhenTheWaitIsOver) {
  add('a');
  look_up({end(0, 1)});
  barrier_.tick(now_ + 2s - 1ns);
  EXPECT_EQ(released_, "");
  barrier_.tick(now_ + 2s);
  EXPECT_EQ(released_, "A");
}

TEST_F(BarrierTest, SaysBehindWhenTheLogsCannotBeAsked) {
  add('a');
  barrier_.look_up_started(now_);
  add('b');
  barrier_.look_up_done(fail(ErrorCode::kTimeout), now_);
  EXPECT_EQ(released_, "A");
  EXPECT_EQ(barrier_.waiting(), 1u);
}

TEST_F(BarrierTest, ALogThatIsLeftOutIsNotTakenAsEmpty) {
  stored(1, 5);
  add('a');
  add('b', {ShardId(0)});
  add('c', {ShardId(1)});
  look_up({end(0, 0)});
  EXPECT_EQ(released_, "ACb") << "nothing was stored from 0, 2 and 3: they are not made yet";
}

TEST_F(BarrierTest, ALogThatExistsAndIsSilentIsNotTakenAsEmpty) {
  add('a', {ShardId(2)});
  look_up({}, {ShardId(2)});
  EXPECT_EQ(released_, "A") << "nothing of it is stored yet, but it may hold something";
}

TEST_F(BarrierTest, AsksForTheShardsThatMatterToThoseWhoWait) {
  using Shards = std::vector<ShardId>;
  add('a', {ShardId(2)});
  add('b', {ShardId(1), ShardId(2)});
  EXPECT_EQ(barrier_.look_up_started(now_), (Shards{ShardId(1), ShardId(2)}));
  add('c', {ShardId(3)});
  barrier_.look_up_done(bus::LogInfos{}, now_);
  EXPECT_EQ(barrier_.look_up_started(now_), Shards{ShardId(3)}) << "not again for those before";
  barrier_.look_up_done(bus::LogInfos{}, now_);
  add('d', {ShardId(3)});
  add('e');
  EXPECT_EQ(barrier_.look_up_started(now_), Shards{}) << "all";
}

TEST_F(BarrierTest, RefusesTooMany) {
  EXPECT_TRUE(add('a'));
  EXPECT_TRUE(add('b'));
  EXPECT_TRUE(add('c'));
  EXPECT_FALSE(add('d'));
  look_up({});
  EXPECT_TRUE(add('e'));
}

TEST_F(BarrierTest, AReleasedWaiterMayWaitAgain) {
  barrier_.add({}, now_, [this](bool) { add('b'); });
  look_up({});
  EXPECT_EQ(barrier_.waiting(), 1u);
  look_up({});
  EXPECT_EQ(released_, "b");
}

}  // namespace
}  // namespace martlet::persist
