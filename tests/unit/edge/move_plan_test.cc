#include "edge/move_plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "edge/limits.h"

namespace martlet::edge {
namespace {

using namespace std::chrono_literals;
using Who = MovePlan::Who;

class MovePlanTest : public testing::Test {
 protected:
  static std::vector<SessionId> sessions(std::size_t count) {
    std::vector<SessionId> all;
    for (std::size_t i = 1; i <= count; ++i) all.push_back({1, i});
    return all;
  }
  void start(std::size_t count, const std::vector<wire::Move>& moves, Who who, Duration window) {
    plan_.start(sessions(count), moves, who, window, random_, now_);
  }
  // How many are told to go where until then.
  std::map<std::string, int> told_until(Duration after) {
    std::map<std::string, int> counts;
    for (const MovePlan::Told& told : plan_.due(now_ + after)) {
      ++counts[told.to];
      EXPECT_TRUE(seen_.insert(told.session).second) << "told twice";
    }
    return counts;
  }

  using Counts = std::map<std::string, int>;
  MonotonicTime now_{1h};
  SeededRandom random_{5};
  MovePlan plan_;
  std::set<SessionId> seen_;
};

TEST_F(MovePlanTest, SpreadsThemEvenlyOverTheWindow) {
  start(2000, {{"a", 1000}, {"b", 1000}}, Who::kEverybody, 10s);
  EXPECT_EQ(told_until(0s).size(), 1U);
  for (int second = 1; second <= 10; ++second) {
    const Counts told = told_until(second * 1s - 1ms);
    EXPECT_NEAR(told.at("a"), 100, 1) << second;
    EXPECT_NEAR(told.at("b"), 100, 1) << second;
  }
  EXPECT_TRUE(plan_.is_done());
  EXPECT_EQ(seen_.size(), 2000U);
}

TEST_F(MovePlanTest, AFewNeedNoWindow) {
  start(5, {{"a", 5}}, Who::kEverybody, 10s);
  EXPECT_EQ(told_until(Duration(4s) / kMovesPerSecond), (Counts{{"a", 5}}));
}

TEST_F(MovePlanTest, WithEverybodyTheRestGoesToWhereItCameFrom) {
  start(10, {{"a", 4}}, Who::kEverybody, 0s);
  EXPECT_EQ(told_until(0s), (Counts{{"", 6}, {"a", 4}}));
}

TEST_F(MovePlanTest, OtherwiseAsManyGoAsAreWanted) {
  start(10, {{"a", 4}, {"", 1}}, Who::kAsManyAsMoves, 0s);
  EXPECT_EQ(told_until(0s), (Counts{{"", 1}, {"a", 4}}));
}

TEST_F(MovePlanTest, NoMoreAreWantedThanThereAre) {
  start(10, {{"a", 1'000'000'000}, {"b", 1'000'000'000}}, Who::kAsManyAsMoves, 0s);
  const Counts told = told_until(0s);
  EXPECT_EQ(told.at("a") + told.at("b"), 10);
  EXPECT_NEAR(told.at("a"), 5, 1) << "both take their part";
}

TEST_F(MovePlanTest, ANewPlanReplacesTheOldOne) {
  start(10, {{"a", 10}}, Who::kEverybody, 10s);
  start(3, {{"b", 3}}, Who::kEverybody, 0s);
  EXPECT_EQ(told_until(1h), (Counts{{"b", 3}}));
}

}  // namespace
}  // namespace martlet::edge
