#include "api/moves.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace martlet::api {
namespace {

class MovesTest : public testing::Test {
 protected:
  MovesTest() { infos_.reserve(8); }
  void add(const std::string& id, std::uint32_t load, std::uint32_t weight = 100) {
    EdgeInfo info;
    info.edge = EdgeId::trusted(id);
    info.address = id;
    info.weight = weight;
    infos_.push_back(info);
    candidates_.push_back({&infos_.back(), load});
  }
  static std::map<std::string, std::uint32_t> by_address(const std::vector<wire::Move>& moves) {
    std::map<std::string, std::uint32_t> result;
    for (const wire::Move& move : moves) result[move.to] += move.sessions;
    return result;
  }
  std::map<std::string, std::uint32_t> drain(std::uint32_t sessions) {
    return by_address(plan_drain(sessions, candidates_));
  }
  std::map<std::string, std::uint32_t> rebalance(const std::string& asker, std::uint32_t sessions) {
    return by_address(plan_rebalance(EdgeId::trusted(asker), sessions, candidates_));
  }

  using Moves = std::map<std::string, std::uint32_t>;
  std::vector<EdgeInfo> infos_;
  std::vector<Candidate> candidates_;
};

TEST_F(MovesTest, ADrainedEdgesSessionsLevelTheOthers) {
  add("a", 1000);
  add("b", 400);
  EXPECT_EQ(drain(1000), (Moves{{"a", 200}, {"b", 800}}));
  EXPECT_EQ(drain(601), (Moves{{"a", 1}, {"b", 600}}));
}

TEST_F(MovesTest, WhoHasMoreThanTheLevelGetsNothing) {
  add("a", 1000);
  add("b", 400);
  add("c", 500);
  EXPECT_EQ(drain(300), (Moves{{"b", 200}, {"c", 100}}));
}

TEST_F(MovesTest, WeightsAreSharesOfADrain) {
  add("a", 0, 100);
  add("b", 0, 300);
  add("c", 0, 0);
  EXPECT_EQ(drain(400), (Moves{{"a", 100}, {"b", 300}}));
}

TEST_F(MovesTest, NobodyToGoToIsNoPlan) {
  EXPECT_EQ(drain(10), Moves());
}

TEST_F(MovesTest, TwoEdgesFillANewOneTogether) {
  add("a", 1000);
  add("b", 1000);
  add("new", 1);
  EXPECT_EQ(rebalance("a", 1000), (Moves{{"new", 333}}));
  EXPECT_EQ(rebalance("b", 1000), (Moves{{"new", 333}}));
  EXPECT_EQ(rebalance("new", 1), Moves());
}

TEST_F(MovesTest, WeightsDoNotCountBehindWhatKnowsNone) {
  add("a", 300, 300);
  add("b", 100, 100);
  EXPECT_EQ(rebalance("a", 300), Moves());
  for (EdgeInfo& info : infos_) info.address.clear();
  EXPECT_EQ(rebalance("a", 300), (Moves{{"", 100}}));
}

TEST_F(MovesTest, WithinTheToleranceNobodyMoves) {
  add("a", 1200);
  add("b", 800);
  EXPECT_EQ(rebalance("a", 1200), Moves()) << "a fifth more than its share";
  EXPECT_EQ(rebalance("a", 1202), (Moves{{"b", 201}}));
}

TEST_F(MovesTest, AFewAreNotWorthAMove) {
  add("a", 19);
  add("b", 0);
  EXPECT_EQ(rebalance("a", 19), Moves());
  EXPECT_EQ(rebalance("a", 40), (Moves{{"b", 20}}));
}

TEST_F(MovesTest, WhoIsNotKnownAsOneThatTakesClientsHasNoShare) {
  add("b", 0);
  add("c", 1000);
  EXPECT_EQ(rebalance("a", 100), Moves());
}

}  // namespace
}  // namespace martlet::api
