#include <gmock/gmock.h>

#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

using ::testing::ElementsAre;
using wire::HopKind;
using wire::Traced;

struct TrailTest : ::testing::Test {
  TrailTest() { rig.take_over(); }
  // Of a conversation that is known.
  void warm() {
    rig.send({.id = id_of(1)});
    rig.settle();
    rig.answers();
    rig.events();
    rig.hops.hops.clear();
  }
  Rig rig;
};

TEST_F(TrailTest, AMessageLikeOthersLeavesNone) {
  rig.send({.id = id_of(1)});
  rig.settle();
  EXPECT_TRUE(rig.hops.hops.empty());
  EXPECT_EQ(rig.only_answer().answer.traced, Traced::kNo);
  EXPECT_EQ(rig.events().at(0).traced, Traced::kNo);
}

TEST_F(TrailTest, OneThatIsFollowedTellsEachStepAndSoDoItsAnswerAndItsEvent) {
  warm();
  rig.send({.id = id_of(2), .traced = Traced::kFlagged});
  rig.settle();
  EXPECT_THAT(rig.hops.kinds(), ElementsAre(HopKind::kDispatcherIn, HopKind::kAppendSent,
                                            HopKind::kAppended, HopKind::kAnswered));
  for (const wire::Hop& hop : rig.hops.hops) {
    EXPECT_EQ(hop.sender.str(), "alice");
    EXPECT_EQ(hop.client_msg_id, id_of(2));
    EXPECT_EQ(hop.conversation, between("alice", "bob"));
    EXPECT_TRUE(hop.flagged);
  }
  EXPECT_EQ(rig.hops.hops[1].number, 1u);
  EXPECT_EQ(rig.hops.hops[2].seq, Seq(2));
  EXPECT_GT(rig.hops.hops[2].number, 0u);
  EXPECT_EQ(rig.only_answer().answer.traced, Traced::kFlagged);
  EXPECT_EQ(rig.events().at(0).traced, Traced::kFlagged);
}

TEST_F(TrailTest, OneThatWaitsForTheDatabaseSaysSo) {
  rig.send({.id = id_of(1), .traced = Traced::kSampled});
  rig.settle();
  EXPECT_EQ(rig.hops.hops.at(1).kind, HopKind::kParked);
  EXPECT_FALSE(rig.hops.hops.at(1).flagged);
}

TEST_F(TrailTest, ARefusalHasItsReason) {
  rig.send({.to = "nobody", .id = id_of(1), .traced = Traced::kFlagged});
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.error, ErrorCode::kNoSuchUser);
  EXPECT_EQ(rig.hops.hops.back().kind, HopKind::kAnswered);
  EXPECT_EQ(rig.hops.hops.back().error, ErrorCode::kNoSuchUser);
}

TEST_F(TrailTest, ARepeatIsAnsweredAndNotAppendedAgain) {
  warm();
  rig.send({.id = id_of(2), .traced = Traced::kFlagged});
  rig.settle();
  rig.hops.hops.clear();
  rig.send({.id = id_of(2), .request_id = 2, .traced = Traced::kFlagged});
  rig.settle();
  EXPECT_THAT(rig.hops.kinds(), ElementsAre(HopKind::kDispatcherIn, HopKind::kAnswered));
  EXPECT_EQ(rig.hops.hops[1].seq, Seq(2));
}

}  // namespace
}  // namespace martlet::dispatcher::testing
