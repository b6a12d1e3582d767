#include "bus/lease_core.h"

#include <gtest/gtest.h>

#include "lease_bench.h"

namespace martlet::bus {
namespace {

using namespace std::chrono_literals;

class LeaseSpread : public ::testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(LeaseSpread, MembersThatStartTogetherShareEvenlyWithoutMovingShards) {
  const auto [count, seed] = GetParam();
  LeaseBench bench(static_cast<std::uint64_t>(seed));
  std::vector<LeaseBench::Member*> members;
  for (int n = 0; n < count; ++n) members.push_back(&bench.add("d" + std::to_string(n)));
  EXPECT_TRUE(bench.run_until([&] { return bench.is_even(); }, 5s)) << "seed " << seed;
  bench.run(20s);
  EXPECT_TRUE(bench.is_even());
  int acquired = 0;
  for (const auto* member : members) {
    acquired += member->acquired;
    EXPECT_EQ(member->lost, 0);
  }
  EXPECT_LE(acquired, 20) << "seed " << seed;
}

INSTANTIATE_TEST_SUITE_P(Sizes, LeaseSpread,
                         ::testing::Combine(::testing::Range(1, 6), ::testing::Range(1, 11)));

class LeaseTest : public ::testing::TestWithParam<int> {
 protected:
  LeaseTest() : bench_(static_cast<std::uint64_t>(GetParam())) {}
  void settle(Duration limit = 15s) {
    ASSERT_TRUE(bench_.run_until([&] { return bench_.is_even(); }, limit));
  }
  LeaseBench bench_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, LeaseTest, ::testing::Range(1, 11));

TEST_P(LeaseTest, AMemberThatJoinsGetsItsShareOneShardAtATime) {
  auto& a = bench_.add("a");
  settle();
  auto& b = bench_.add("b");
  int most_missing = 0;
  EXPECT_TRUE(bench_.run_until(
      [&] {
        most_missing =
            std::max(most_missing, 16 - static_cast<int>(a.owned.size() + b.owned.size()));
        return bench_.is_even();
      },
      20s));
  EXPECT_EQ(a.releases, 8);
  EXPECT_EQ(b.acquired, 8);
  EXPECT_EQ(most_missing, 1);
}

TEST_P(LeaseTest, ASecondShardMovesOnlyWhenTheFirstWasGivenBack) {
  auto& a = bench_.add("a");
  settle();
  a.gives_back_late = true;
  bench_.add("b");
  bench_.run(10s);
  EXPECT_EQ(a.releases, 1);
  EXPECT_EQ(bench_.shares()["a"], 16);
}

TEST_P(LeaseTest, ADeadMembersShardsAreTakenAfterTwoSecondsAndSoon) {
  auto& a = bench_.add("a");
  bench_.add("b");
  bench_.add("c");
  settle();
  bench_.run(5s);
  bench_.kill(a);
  const MonotonicTime killed = bench_.now();
  ASSERT_TRUE(bench_.run_until([&] { return bench_.shares()["a"] < 5; }, 10s));
  // Its last beat may have been heard half a second before it died.
  EXPECT_GE(bench_.now() - killed, 1400ms);
  ASSERT_TRUE(bench_.run_until([&] { return bench_.shares()["a"] == 0; }, 10s));
  EXPECT_LE(bench_.now() - killed, 3100ms);
  settle();
}

// The one that was started again is meant for them, and may not claim yet: senders don't wait for
// it.
TEST_P(LeaseTest, WhoIsStartedAgainAtOnceDoesNotDelayTheOthers) {
  auto& a = bench_.add("a");
  bench_.add("b");
  settle();
  bench_.run(5s);
  bench_.kill(a);
  const MonotonicTime killed = bench_.now();
  bench_.run(GetParam() * 200ms);
  bench_.add("a2");
  ASSERT_TRUE(bench_.run_until([&] { return bench_.shares()["a"] == 0; }, 10s));
  EXPECT_LE(bench_.now() - killed, 3100ms);
  settle();
}

// All were killed and come back, one a little later: nobody takes what is the other's.
TEST_P(LeaseTest, WhoStartsAfterAllDiedTakesItsShareAlone) {
  auto& a = bench_.add("a");
  auto& b = bench_.add("b");
  settle();
  bench_.kill(a);
  bench_.kill(b);
  auto& a2 = bench_.add("a2");
  bench_.run(GetParam() * 80ms);
  auto& b2 = bench_.add("b2");
  settle();
  EXPECT_EQ(a2.acquired, 8);
  EXPECT_EQ(b2.acquired, 8);
}

TEST_P(LeaseTest, AMemberThatSleptLosesItsShardsAndTakesNobodysOnWaking) {
  auto& a = bench_.add("a");
  auto& b = bench_.add("b");
  settle();
  bench_.pause(a);
  bench_.run(10s);
  EXPECT_EQ(b.owned.size(), 16U);
  const int acquired = b.acquired;
  bench_.wake(a);
  bench_.run(500ms);
  EXPECT_EQ(a.lost, 8);
  EXPECT_EQ(b.lost, 0);
  settle();
  EXPECT_EQ(b.acquired, acquired);
}

// All of them slept (the machine did): nobody may take the others for dead.
TEST_P(LeaseTest, MembersThatSleptTogetherKeepWhatTheyHave) {
  auto& a = bench_.add("a");
  auto& b = bench_.add("b");
  settle();
  const int before = a.acquired + b.acquired;
  bench_.pause(a);
  bench_.pause(b);
  bench_.run(30s);
  bench_.wake(a);
  bench_.run(200ms);
  bench_.wake(b);
  bench_.run(10s);
  EXPECT_TRUE(bench_.is_even());
  EXPECT_EQ(a.acquired + b.acquired, before);
}

TEST_P(LeaseTest, OneThatIsCutOffLearnsNothingAboutTheOthers) {
  auto& a = bench_.add("a");
  auto& b = bench_.add("b");
  settle();
  a.cut_off = true;
  bench_.run(10s);
  EXPECT_GE(a.core->renewal_age(bench_.now()), 9s);
  EXPECT_EQ(a.acquired, 8);
  EXPECT_EQ(b.owned.size(), 16U);
  a.cut_off = false;
  settle(20s);
  EXPECT_EQ(b.lost, 0);
  EXPECT_LE(a.core->renewal_age(bench_.now()), kMaxRenewalAge);
}

// The broker was away for everybody.
TEST_P(LeaseTest, AfterABrokersRestEverybodyKeepsWhatTheyHave) {
  auto& a = bench_.add("a");
  auto& b = bench_.add("b");
  settle();
  a.cut_off = b.cut_off = true;
  bench_.run(20s);
  a.cut_off = b.cut_off = false;
  bench_.run(10s);
  EXPECT_TRUE(bench_.is_even());
  EXPECT_EQ(a.acquired + b.acquired, 16);
}

TEST_P(LeaseTest, DoubtTakesTheShardAnewWhenTheRecordNamesUs) {
  auto& a = bench_.add("a");
  settle();
  const Epoch before = a.owned.at(3).epoch;
  a.core->doubt(ShardId(3));
  ASSERT_TRUE(bench_.run_until([&] { return a.owned.at(3).epoch > before; }, 5s));
  EXPECT_TRUE(bench_.is_settled());
  EXPECT_EQ(a.lost, 0);
}

TEST_P(LeaseTest, DoubtLosesTheShardWhenTheRecordNamesAnother) {
  auto& a = bench_.add("a");
  settle();
  a.core->doubt(ShardId(3));
  const std::string key = shard_key("dispatch", ShardId(3));
  bench_.entries()[key] = {key, encode_record({"other", Epoch(9'999), LogPosition(5)}), 9'999};
  ASSERT_TRUE(bench_.run_until([&] { return a.lost == 1; }, 5s));
  EXPECT_FALSE(a.owned.contains(3));
}

TEST_P(LeaseTest, RepeatedDoubtSlowsDown) {
  auto& a = bench_.add("a");
  settle();
  const int before = a.acquired;
  for (int n = 0; n < 1000; ++n) {
    a.core->doubt(ShardId(3));
    bench_.run(10ms);
  }
  EXPECT_LE(a.acquired - before, 20);
  EXPECT_GE(a.acquired - before, 3);
}

TEST_P(LeaseTest, AWipedBucketIsWrittenAnewByTheOwners) {
  auto& a = bench_.add("a");
  auto& b = bench_.add("b");
  settle();
  const auto owned_by_a = a.owned;
  bench_.wipe();
  EXPECT_TRUE(bench_.run_until([&] { return bench_.is_even(); }, 10s));
  EXPECT_EQ(a.owned.size(), owned_by_a.size());
  for (const auto& [shard, owned] : owned_by_a) EXPECT_TRUE(a.owned.contains(shard));
  EXPECT_EQ(a.lost + b.lost, 0);
}

TEST_P(LeaseTest, ThePublishedPositionIsPassedOn) {
  auto& a = bench_.add("a");
  settle();
  for (int n = 1; n <= 300; ++n) {
    a.core->note_published(ShardId(2), LogPosition(static_cast<std::uint64_t>(n)));
    bench_.run(10ms);
  }
  bench_.run(1s);
  EXPECT_EQ(bench_.record(2)->published, LogPosition(300));
  EXPECT_EQ(bench_.record(2)->epoch, a.owned.at(2).epoch);
  bench_.kill(a);
  auto& b = bench_.add("b");
  ASSERT_TRUE(bench_.run_until([&] { return b.owned.contains(2); }, 10s));
  EXPECT_EQ(b.owned.at(2).previous_published, LogPosition(300));
}

// The power cut that took the log's tail took the bucket's.
TEST_P(LeaseTest, ThePublishedPositionIsNotForgottenWithTheBucketsTail) {
  auto& a = bench_.add("a");
  auto& b = bench_.add("b");
  settle();
  const std::uint16_t shard = a.owned.begin()->first;
  const auto kept = bench_.entries();
  a.core->note_published(ShardId(shard), LogPosition(300));
  bench_.run(5s);
  ASSERT_EQ(bench_.record(shard)->published, LogPosition(300));
  bench_.kill(a);
  bench_.entries() = kept;
  ASSERT_TRUE(bench_.run_until([&] { return b.owned.contains(shard); }, 10s));
  EXPECT_EQ(b.owned.at(shard).previous_published, LogPosition(300));
}

// Who owned it knows how far the log was, and may be gone when its end is missed.
TEST_P(LeaseTest, HowFarTheLogWasIsToldByWhoeverGivesItBackOrTakesItAnew) {
  auto& a = bench_.add("a");
  settle();
  a.core->note_reached(ShardId(2), LogPosition(7));
  a.core->note_reached(ShardId(3), LogPosition(8));
  a.core->give_back(ShardId(2));
  a.core->doubt(ShardId(3));
  bench_.run(1s);
  EXPECT_EQ(bench_.record(2)->reached, LogPosition(7));
  EXPECT_EQ(bench_.record(3)->reached, LogPosition(8));
  a.core->note_reached(ShardId(3), LogPosition(6));
  a.core->note_published(ShardId(3), LogPosition(6));
  bench_.run(1s);
  EXPECT_EQ(bench_.record(3)->reached, LogPosition(8)) << "it never goes back";
  auto& b = bench_.add("b");
  settle();
  bench_.kill(a);
  ASSERT_TRUE(bench_.run_until([&] { return b.owned.size() == 16; }, 10s));
  EXPECT_EQ(b.owned.at(2).previous_reached, LogPosition(7));
  EXPECT_EQ(b.owned.at(3).previous_reached, LogPosition(8));
}

TEST_P(LeaseTest, PublishedPositionsAreWrittenLazily) {
  auto& a = bench_.add("a");
  settle();
  const std::uint64_t before = bench_.writes_of_records();
  for (int n = 1; n <= 1000; ++n) {
    a.core->note_published(ShardId(2), LogPosition(static_cast<std::uint64_t>(n)));
    bench_.run(10ms);
  }
  EXPECT_LE(bench_.writes_of_records() - before, 21U);
}

TEST_P(LeaseTest, OneThatStopsGivesEverythingBackAtOnce) {
  auto& a = bench_.add("a");
  auto& b = bench_.add("b");
  settle();
  a.owned.clear();
  a.core->stop();
  ASSERT_TRUE(bench_.run_until([&] { return a.core->is_stopped(); }, 1s));
  bench_.kill(a);
  ASSERT_TRUE(bench_.run_until([&] { return b.owned.size() == 16; }, 1500ms));
}

TEST_P(LeaseTest, OneThatStopsWhileItClaimsLeavesNothingBehind) {
  auto& a = bench_.add("a");
  ASSERT_TRUE(bench_.run_until([&] { return bench_.writes_of_records() > 0; }, 5s));
  a.core->stop();
  ASSERT_TRUE(bench_.run_until([&] { return a.core->is_stopped(); }, 1s));
  EXPECT_EQ(bench_.shares()["a"], 0);
}

// Whatever happens, all of it heals, and nobody believes an epoch that the record has passed by for
// longer than it takes to read it.
TEST_P(LeaseTest, HealsAfterRandomTroubles) {
  SeededRandom random(static_cast<std::uint64_t>(GetParam()) * 7919);
  std::vector<LeaseBench::Member*> members;
  for (int n = 0; n < 4; ++n) members.push_back(&bench_.add("d" + std::to_string(n)));
  for (int round = 0; round < 40; ++round) {
    LeaseBench::Member& one = *members[random.below(members.size())];
    switch (random.below(5)) {
      case 0:
        if (!one.paused) bench_.pause(one);
        break;
      case 1:
        if (one.paused) bench_.wake(one);
        break;
      case 2:
        one.cut_off = !one.cut_off;
        break;
      case 3:
        for (std::uint16_t n = 0; n < 16; ++n) one.core->doubt(ShardId(n));
        break;
      case 4:
        if (random.below(4) == 0) bench_.wipe();
        break;
    }
    bench_.run(std::chrono::milliseconds(random.below(3000)));
  }
  for (LeaseBench::Member* member : members) {
    member->cut_off = false;
    if (member->paused) bench_.wake(*member);
  }
  EXPECT_TRUE(bench_.run_until([&] { return bench_.is_even(); }, 30s)) << "seed " << GetParam();
}

}  // namespace
}  // namespace martlet::bus
