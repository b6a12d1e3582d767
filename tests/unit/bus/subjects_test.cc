#include "bus/subjects.h"

#include <gtest/gtest.h>

namespace martlet::bus::subject {
namespace {

TEST(Subjects, AreTheDocumentedOnes) {
  const ShardId shard{3};
  EXPECT_EQ(in_user(shard, UserId::trusted("u2")), "im.in.3.u.u2");
  EXPECT_EQ(in_group(shard, GroupId::trusted("g1")), "im.in.3.g.g1");
  EXPECT_EQ(in_shard(shard), "im.in.3.>");
  EXPECT_EQ(log(shard), "im.log.3");
  EXPECT_EQ(log_stream(shard), "IM_LOG_3");
  EXPECT_EQ(user(UserId::trusted("u2")), "im.u.u2");
  EXPECT_EQ(group(GroupId::trusted("g1")), "im.g.g1");
  EXPECT_EQ(edge(EdgeId::trusted("e1")), "im.e.e1");
  EXPECT_EQ(watermark(shard), "im.wm.3");
  EXPECT_EQ(owner(shard), "im.own.3");
  EXPECT_EQ(edge_beat(EdgeId::trusted("e1")), "im.hb.edge.e1");
  EXPECT_EQ(status("edge"), "im.status.edge");
  EXPECT_EQ(all_statuses(), "im.status.*");
  EXPECT_EQ(bucket("b") + "k", "$KV.b.k");
}

}  // namespace
}  // namespace martlet::bus::subject
