#include "api/edge_directory.h"

#include <gtest/gtest.h>

#include "api/limits.h"

namespace martlet::api {
namespace {

using std::chrono::milliseconds;

const MonotonicTime kStart = MonotonicTime() + std::chrono::hours(1);

EdgeInfo edge(const std::string& id, const std::string& address, WallMs started_ms = 1) {
  EdgeInfo info;
  info.edge = EdgeId::trusted(id);
  info.name = "edge-" + id;
  info.address = address;
  info.started_ms = started_ms;
  return info;
}

TEST(EdgeDirectory, KnowsWhatTheLastHeartbeatTold) {
  EdgeDirectory directory;
  EdgeInfo info = edge("a", "h:1");
  directory.heard(info, kStart);
  info.sessions = 7;
  directory.heard(info, kStart);
  EXPECT_EQ(directory.live(kStart), std::vector<EdgeInfo>{info});
}

TEST(EdgeDirectory, AnEdgeLivesUntilItWasSilentForTheLimit) {
  EdgeDirectory directory;
  directory.heard(edge("a", "h:1"), kStart);
  EXPECT_EQ(directory.live(kStart + milliseconds(kEdgeSilenceMs) - Duration(1)).size(), 1U);
  EXPECT_EQ(directory.live(kStart + milliseconds(kEdgeSilenceMs)).size(), 0U);
}

TEST(EdgeDirectory, ForgetsSilentEdges) {
  EdgeDirectory directory;
  directory.heard(edge("a", "h:1"), kStart);
  directory.expire(kStart + milliseconds(kEdgeSilenceMs) - Duration(1));
  EXPECT_EQ(directory.size(), 1U);
  directory.expire(kStart + milliseconds(kEdgeSilenceMs));
  EXPECT_EQ(directory.size(), 0U);
}

TEST(EdgeDirectory, AnEdgeThatStartsAgainReplacesItsOlderSelf) {
  EdgeDirectory directory;
  directory.heard(edge("a", "h:1", 100), kStart);
  directory.heard(edge("b", "h:1", 200), kStart);
  ASSERT_EQ(directory.live(kStart).size(), 1U);
  EXPECT_EQ(directory.live(kStart)[0].edge.str(), "b");
}

TEST(EdgeDirectory, ALateHeartbeatOfTheOlderSelfRemovesNothing) {
  EdgeDirectory directory;
  directory.heard(edge("b", "h:1", 200), kStart);
  directory.heard(edge("a", "h:1", 100), kStart);
  EXPECT_EQ(directory.live(kStart).size(), 2U);
}

TEST(EdgeDirectory, ListsInTheOrderOfNames) {
  EdgeDirectory directory;
  directory.heard(edge("c", "h:3"), kStart);
  directory.heard(edge("a", "h:1"), kStart);
  directory.heard(edge("b", "h:2"), kStart);
  std::string order;
  for (const EdgeInfo& info : directory.live(kStart)) order += info.edge.str();
  EXPECT_EQ(order, "abc");
}

TEST(EdgeDirectory, IsBounded) {
  EdgeDirectory directory;
  for (std::size_t i = 0; i < kMaxEdges; ++i) {
    EXPECT_TRUE(directory.heard(edge("e" + std::to_string(i), "h:" + std::to_string(i)), kStart));
  }
  EXPECT_FALSE(directory.heard(edge("more", "h:more"), kStart));
  EXPECT_TRUE(directory.heard(edge("e0", "h:0"), kStart));
  EXPECT_EQ(directory.size(), kMaxEdges);
}

}  // namespace
}  // namespace martlet::api
