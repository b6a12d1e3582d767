#include <gtest/gtest.h>

#include "dispatcher/fanout.h"
#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

using Action = MembersAction;

// What a new owner knows of groups, and what it publishes again.
class GroupReplay : public ::testing::Test {
 protected:
  // Positions: 1 is OWNER, 2 the creation, 3 a message, 4 an invitation, 5 a message.
  GroupReplay() {
    rig.change({.id = id_of(1), .change = created({"bob"})});
    rig.settle();
    rig.send({.from = "bob", .to = "g:team", .id = id_of(2)});
    rig.settle();
    rig.change({.id = id_of(3), .change = act_of(Action::kInvited, {"bob", "carol"})});
    rig.settle();
    rig.send({.from = "carol", .to = "g:team", .id = id_of(4)});
    rig.settle();
    rig.answers();
    rig.events();
  }
  OutgoingAnswer send(const std::string& from, std::uint64_t number) {
    rig.send({.from = from, .to = "g:team", .id = id_of(number)});
    rig.settle();
    return rig.only_answer();
  }
  std::deque<LiveEntry>& live() { return rig.taken()->live; }

  Rig rig;
};

TEST_F(GroupReplay, ALogWithItsCreationTellsEverything) {
  rig.take_over();
  rig.send({.from = "carol", .to = "g:team", .id = id_of(10)});
  EXPECT_FALSE(rig.question.has_value());
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(5));
  EXPECT_EQ(send("dave", 11).answer.error, ErrorCode::kNotMember);
}

TEST_F(GroupReplay, ALogWithoutItIsAskedForTheRest) {
  rig.follow(LogPosition(3));
  rig.log.purge_below(bus::LogSequence(4));  // the invitation is left
  rig.take_over();
  rig.send({.from = "bob", .to = "g:team", .id = id_of(10)});
  ASSERT_TRUE(rig.question.has_value());
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(5));
  EXPECT_EQ(rig.events()[0].members_at, Seq(3));
  EXPECT_EQ(send("carol", 11).answer.seq, Seq(6));
}

TEST_F(GroupReplay, WhatIsStoredMeanwhileIsNotForgottenBeforeAnOlderAnswer) {
  rig.limits.heads = 0;  // what may be forgotten is
  rig.follow(LogPosition(3));
  rig.log.purge_below(bus::LogSequence(4));
  rig.take_over();
  rig.send({.from = "carol", .to = "g:team", .id = id_of(10)});
  ASSERT_TRUE(rig.question.has_value());
  const auto before_the_invitation = rig.database.answer(*rig.question);
  rig.question.reset();
  rig.store_all();
  rig.core().cold_answer(before_the_invitation, rig.moment);
  rig.take();
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(5));
}

TEST_F(GroupReplay, ADatabaseThatIsFurtherIsBelieved) {
  rig.follow();
  rig.log.purge_below(bus::LogSequence(4));
  rig.take_over();
  EXPECT_EQ(send("carol", 10).answer.seq, Seq(5));
  EXPECT_EQ(rig.events()[0].members_at, Seq(3));
}

TEST_F(GroupReplay, ChangesAreRecognizedAfterATakeOver) {
  rig.take_over();
  rig.change({.id = id_of(3), .change = act_of(Action::kInvited, {"bob", "carol"})});
  rig.settle();
  EXPECT_EQ(rig.only_answer().answer.seq, Seq(3));
}

TEST_F(GroupReplay, WhatIsPublishedAgainIsAsOfTheSameMembers) {
  rig.take_over();
  ASSERT_EQ(live().size(), 4u);
  EXPECT_EQ(live()[0].members_at, Seq());
  EXPECT_EQ(live()[0].concerned.size(), 2u);
  EXPECT_EQ(live()[1].members_at, Seq(1));
  EXPECT_EQ(live()[2].members_at, Seq(1));
  EXPECT_EQ(live()[2].concerned, std::vector<UserId>{user("carol")});
  EXPECT_EQ(live()[3].members_at, Seq(3));
  EXPECT_TRUE(rig.taken()->missed.empty());
}

// As of which members is not known: hints instead, also to those whom the change brought in.
TEST_F(GroupReplay, WithoutTheMembersThereAreHints) {
  rig.follow(LogPosition(3));
  rig.log.purge_below(bus::LogSequence(3));
  rig.take_over(LogPosition(2));
  EXPECT_TRUE(live().empty());
  EXPECT_EQ(rig.taken()->missed,
            (std::unordered_set<ConversationId>{group("team"), between("bob", "bob"),
                                                between("carol", "carol")}));
}

TEST_F(GroupReplay, WhatWasSeenNeedsNoHint) {
  rig.follow(LogPosition(3));
  rig.log.purge_below(bus::LogSequence(3));
  rig.take_over(LogPosition(5));
  EXPECT_TRUE(live().empty());
  EXPECT_TRUE(rig.taken()->missed.empty());
}

TEST_F(GroupReplay, AfterALossTheDatabaseTellsTheMembers) {
  rig.follow();
  rig.log.lose_after(bus::LogSequence(3));  // the invitation is lost, and stored
  rig.take_over();
  EXPECT_EQ(send("carol", 10).answer.seq, Seq(5));
  EXPECT_EQ(rig.events()[0].members_at, Seq(3));
}

TEST_F(GroupReplay, AnOpenChangeThatWasNotLoggedIsForgotten) {
  rig.change({.id = id_of(20), .change = act_of(Action::kRemoved, {"carol"})});
  rig.take_over();
  EXPECT_EQ(send("carol", 10).answer.seq, Seq(5));
}

}  // namespace
}  // namespace martlet::dispatcher::testing
