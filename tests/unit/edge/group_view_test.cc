#include "edge/group_view.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace martlet::edge {
namespace {

using Names = std::vector<std::string>;

UserId user(const std::string& name) {
  return UserId::trusted(name);
}

Names names(std::vector<UserId> users) {
  Names result;
  for (const UserId& one : users) result.push_back(one.str());
  std::sort(result.begin(), result.end());
  return result;
}

class GroupViewTest : public testing::Test {
 protected:
  struct Heard {
    Names audience;
    std::size_t passed_over = 0;
    Names gone;
    Names lost;
  };

  void member(const std::string& name, std::uint64_t from, std::uint64_t as_of) {
    view_.learn(user(name), {Seq(from), Seq(as_of)});
  }
  static MembersChange change(MembersAction action, const Names& users = {}) {
    MembersChange result{.action = action};
    for (const auto& name : users) result.users.push_back(user(name));
    return result;
  }
  Heard hear(std::uint64_t seq, std::uint64_t members_at) {
    Names audience;
    return told(view_.hear(Seq(seq), Seq(members_at), into(audience)), audience);
  }
  Heard hear(std::uint64_t seq, std::uint64_t members_at, const std::string& actor,
             const MembersChange& what) {
    Names audience;
    return told(
        view_.hear(GroupView::Act{Seq(seq), user(actor), what}, Seq(members_at), into(audience)),
        audience);
  }
  Names pass_on(std::uint64_t members_at) {
    Names audience;
    view_.pass_on(Seq(members_at), into(audience));
    return audience;
  }
  GroupView::Effect own(const std::string& name, std::uint64_t seq, const std::string& actor,
                        const MembersChange& what) {
    return view_.hear_own(user(name), GroupView::Act{Seq(seq), user(actor), what});
  }
  static Names audience(const Heard& heard) {
    EXPECT_EQ(heard.passed_over, 0u);
    return heard.audience;
  }
  Names audience(std::uint64_t seq, std::uint64_t members_at) {
    return audience(hear(seq, members_at));
  }
  Names missing() const { return names(view_.missing(100)); }
  static GroupView::Give into(Names& audience) {
    return [&audience](const UserId& to) { audience.push_back(to.str()); };
  }
  static Heard told(const GroupView::Heard& heard, const Names& audience) {
    return {audience, heard.passed_over, names(heard.gone), names(heard.lost)};
  }

  GroupView view_;
};

TEST_F(GroupViewTest, MembersGetWhatIsKnownToBeTheirs) {
  member("ann", 1, 5);
  member("ben", 5, 5);
  EXPECT_EQ(audience(6, 5), (Names{"ann", "ben"}));
}

TEST_F(GroupViewTest, NobodyGetsWhatCameBeforeThem) {
  member("ann", 1, 5);
  member("ben", 5, 5);
  EXPECT_EQ(audience(4, 3), (Names{"ann"})) << "published again after a take-over";
  EXPECT_EQ(audience(5, 3), (Names{"ann", "ben"}));
}

TEST_F(GroupViewTest, AnEventAfterAnUnseenChangePassesOverThoseWhomItMayConcern) {
  member("ann", 1, 5);
  member("ben", 5, 7);
  const auto heard = hear(8, 7);
  EXPECT_EQ(heard.audience, Names{"ben"}) << "ann may have been removed at 7";
  EXPECT_EQ(heard.passed_over, 1u);
  EXPECT_EQ(missing(), Names{"ann"});
  EXPECT_FALSE(view_.caught_up(user("ann")));
  member("ann", 1, 7);
  EXPECT_TRUE(view_.caught_up(user("ann")));
  EXPECT_FALSE(view_.caught_up(user("ann"))) << "once";
  EXPECT_EQ(audience(8, 7), (Names{"ann", "ben"}));
}

TEST_F(GroupViewTest, AChangeAfterAnUnseenChangeIsNotAppliedToThem) {
  member("ann", 1, 5);
  member("ben", 1, 7);
  const auto invited = change(MembersAction::kInvited, {"cat"});
  EXPECT_EQ(hear(8, 7, "bob", invited).audience, Names{"ben"});
  EXPECT_EQ(view_.find(user("ann"))->as_of, Seq(5));
  EXPECT_EQ(view_.find(user("ben"))->as_of, Seq(8));
  EXPECT_EQ(view_.newest(), Seq(8));
}

TEST_F(GroupViewTest, AnAnswerThatIsOlderThanWhatWasHeardIsNotEnough) {
  member("ann", 1, 5);
  hear(8, 7);
  hear(11, 10);
  member("ann", 1, 7);
  EXPECT_FALSE(view_.caught_up(user("ann"))) << "the change at 10 was not heard";
  member("ann", 1, 10);
  EXPECT_TRUE(view_.caught_up(user("ann")));
}

TEST_F(GroupViewTest, ChangesThatWereAllHeardAreNotAskedForAgain) {
  member("ann", 1, 5);
  member("ben", 1, 5);
  hear(8, 7);
  hear(9, 7, "bob", change(MembersAction::kInvited, {"cat"}));
  hear(10, 9, "bob", change(MembersAction::kRemoved, {"ben"}));
  member("ann", 1, 7);
  EXPECT_TRUE(view_.caught_up(user("ann"))) << "an answer can't be outrun";
  EXPECT_EQ(audience(11, 10), Names{"ann"});
}

TEST_F(GroupViewTest, WhoCameInBetweenIsNotTakenForOneWhoWasThere) {
  member("ann", 1, 5);
  hear(6, 5, "bob", change(MembersAction::kRemoved, {"ben"}));
  member("ben", 1, 5);
  const auto heard = hear(7, 6);
  EXPECT_EQ(heard.audience, Names{"ann"});
  member("ben", 1, 5);
  EXPECT_FALSE(view_.caught_up(user("ben"))) << "the removal at 6 was heard before";
}

TEST_F(GroupViewTest, WhoMissedSomethingAndIsPutOutIsLost) {
  member("ann", 1, 5);
  member("ben", 1, 5);
  hear(8, 7);
  member("ben", 1, 7);
  const auto removed = hear(9, 7, "bob", change(MembersAction::kRemoved, {"ann"}));
  EXPECT_EQ(removed.lost, Names{"ann"});
  EXPECT_EQ(removed.gone, Names{});
  EXPECT_TRUE(view_.caught_up(user("ben")));
  EXPECT_FALSE(view_.has(user("ann")));
}

TEST_F(GroupViewTest, ASeenChangeKeepsTheViewCurrent) {
  member("ann", 1, 5);
  EXPECT_EQ(audience(hear(6, 5, "bob", change(MembersAction::kInvited, {"cat"}))), (Names{"ann"}));
  EXPECT_EQ(audience(7, 6), (Names{"ann"}));
}

TEST_F(GroupViewTest, WhatIsNoMessageGoesToThoseWhoAreKnown) {
  member("ann", 1, 5);
  member("ben", 7, 7);
  EXPECT_EQ(pass_on(5), (Names{"ann", "ben"}));
  EXPECT_EQ(pass_on(7), Names{"ben"});
  EXPECT_EQ(missing(), Names{});
}

// ---- joins -----------------------------------------------------------------------------------

TEST_F(GroupViewTest, WhoCameIsLeftOutAndHasItFromTheirOwnSubjectBefore) {
  member("ann", 1, 5);
  const auto invited = change(MembersAction::kInvited, {"ben"});
  EXPECT_EQ(own("ben", 6, "ann", invited), GroupView::Effect::kCame);
  EXPECT_EQ(audience(hear(6, 5, "ann", invited)), (Names{"ann"}));
  EXPECT_EQ(audience(7, 6), (Names{"ann", "ben"}));
}

TEST_F(GroupViewTest, WhoCameIsInTheGroupAlsoWhenTheirOwnSubjectIsLater) {
  member("ann", 1, 5);
  const auto invited = change(MembersAction::kInvited, {"ben"});
  EXPECT_EQ(audience(hear(6, 5, "ann", invited)), (Names{"ann"}));
  EXPECT_EQ(audience(7, 6), (Names{"ann"}));
  EXPECT_EQ(own("ben", 6, "ann", invited), GroupView::Effect::kCame);
  EXPECT_EQ(audience(8, 6), (Names{"ann", "ben"}));
}

TEST_F(GroupViewTest, WhoIsInvitedAndThereAlreadyGetsItFromTheGroup) {
  member("ann", 1, 5);
  member("ben", 3, 5);
  const auto invited = change(MembersAction::kInvited, {"ben", "cat"});
  EXPECT_EQ(audience(hear(6, 5, "ann", invited)), (Names{"ann", "ben"}));
}

TEST_F(GroupViewTest, WhoJoinedIsAttachedFromThere) {
  EXPECT_EQ(own("ben", 6, "ben", change(MembersAction::kJoined)), GroupView::Effect::kCame);
  EXPECT_EQ(*view_.find(user("ben")), (GroupView::Place{Seq(6), Seq(6)}));
  EXPECT_EQ(audience(5, 4), Names{}) << "before them";
}

TEST_F(GroupViewTest, ACreationBringsItsFirstMembers) {
  const auto created = change(MembersAction::kCreated, {"ben"});
  EXPECT_EQ(own("ann", 1, "ann", created), GroupView::Effect::kCame);
  EXPECT_EQ(own("ben", 1, "ann", created), GroupView::Effect::kCame);
  EXPECT_EQ(audience(hear(1, 0, "ann", created)), Names{});
  EXPECT_EQ(audience(2, 1), (Names{"ann", "ben"}));
}

TEST_F(GroupViewTest, AJoinThatIsKnownFromASnapshotChangesNothing) {
  member("ben", 1, 6);
  const auto invited = change(MembersAction::kInvited, {"ben"});
  EXPECT_EQ(own("ben", 6, "ann", invited), GroupView::Effect::kStays);
  EXPECT_EQ(view_.find(user("ben"))->from, Seq(1)) << "earlier history is shown";
}

TEST_F(GroupViewTest, AnOldJoinAfterALaterRemovalIsFoundOutBeforeAnythingIsDelivered) {
  EXPECT_EQ(own("ben", 9, "ann", change(MembersAction::kRemoved, {"ben"})),
            GroupView::Effect::kStays);
  EXPECT_EQ(own("ben", 6, "ann", change(MembersAction::kInvited, {"ben"})),
            GroupView::Effect::kCame);
  EXPECT_EQ(hear(10, 9).audience, Names{});
}

// ---- leaves ----------------------------------------------------------------------------------

TEST_F(GroupViewTest, WhoIsRemovedIsGoneAtOnceWhateverComesFirst) {
  const auto removed = change(MembersAction::kRemoved, {"ben"});
  member("ann", 1, 5);
  member("ben", 1, 5);
  const auto heard = hear(6, 5, "ann", removed);
  EXPECT_EQ(audience(heard), (Names{"ann"}));
  EXPECT_EQ(heard.gone, (Names{"ben"}));
  EXPECT_EQ(audience(7, 6), (Names{"ann"}));
  EXPECT_EQ(own("ben", 6, "ann", removed), GroupView::Effect::kStays);
  EXPECT_FALSE(view_.has(user("ben")));
}

TEST_F(GroupViewTest, WhoIsRemovedByTheirOwnSubjectGetsNothingOfTheGroupAnyMore) {
  const auto removed = change(MembersAction::kRemoved, {"ben"});
  member("ann", 1, 5);
  member("ben", 1, 5);
  EXPECT_EQ(own("ben", 6, "ann", removed), GroupView::Effect::kWent);
  const auto heard = hear(6, 5, "ann", removed);
  EXPECT_EQ(audience(heard), (Names{"ann"}));
  EXPECT_TRUE(heard.gone.empty());
}

TEST_F(GroupViewTest, WhoLeavesIsGone) {
  member("ann", 1, 5);
  member("ben", 1, 5);
  EXPECT_EQ(audience(hear(6, 5, "ben", change(MembersAction::kLeft))), (Names{"ann"}));
  EXPECT_EQ(audience(7, 6), (Names{"ann"}));
}

TEST_F(GroupViewTest, ADisbandedGroupTellsAllAndIsEmpty) {
  member("ann", 1, 5);
  member("ben", 1, 5);
  const auto heard = hear(6, 5, "ann", change(MembersAction::kDisbanded));
  EXPECT_EQ(audience(heard), (Names{"ann", "ben"}));
  EXPECT_EQ(heard.gone, (Names{"ann", "ben"}));
  EXPECT_TRUE(view_.empty());
}

TEST_F(GroupViewTest, AnOldRemovalDoesNotUndoAReturn) {
  member("ben", 8, 8);
  const auto removed = change(MembersAction::kRemoved, {"ben"});
  EXPECT_EQ(own("ben", 6, "ann", removed), GroupView::Effect::kStays);
  EXPECT_TRUE(hear(6, 5, "ann", removed).gone.empty());
  EXPECT_TRUE(view_.has(user("ben")));
}

// ---- roles -----------------------------------------------------------------------------------

TEST_F(GroupViewTest, WhoHasAnotherRoleIsLeftOutAndStays) {
  member("ann", 1, 5);
  member("ben", 1, 5);
  const auto promoted = change(MembersAction::kRoleSet, {"ben"});
  EXPECT_EQ(own("ben", 6, "ann", promoted), GroupView::Effect::kStays);
  EXPECT_EQ(audience(hear(6, 5, "ann", promoted)), (Names{"ann"}));
  EXPECT_EQ(audience(7, 6), (Names{"ann", "ben"}));
}

// ---- snapshots -------------------------------------------------------------------------------

TEST_F(GroupViewTest, AnOlderSnapshotChangesNothing) {
  member("ann", 4, 9);
  EXPECT_FALSE(view_.learn(user("ann"), {Seq(1), Seq(8)}));
  EXPECT_FALSE(view_.learn_absent(user("ann"), Seq(8)));
  EXPECT_EQ(*view_.find(user("ann")), (GroupView::Place{Seq(4), Seq(9)}));
}

TEST_F(GroupViewTest, ASnapshotOfTheSameMomentOrLaterCounts) {
  member("ann", 4, 9);
  EXPECT_FALSE(view_.learn(user("ann"), {Seq(1), Seq(9)}));
  EXPECT_EQ(view_.find(user("ann"))->from, Seq(1));
  EXPECT_TRUE(view_.learn_absent(user("ann"), Seq(10)));
  EXPECT_TRUE(view_.empty());
}

TEST_F(GroupViewTest, AfterALogWasCutOffNothingIsKnown) {
  member("ann", 1, 100);
  view_.doubt();
  EXPECT_EQ(missing(), Names{"ann"}) << "whatever comes";
  EXPECT_EQ(hear(86, 85).audience, Names{}) << "85 is another change than the one that was known";
  EXPECT_TRUE(view_.learn_absent(user("ann"), Seq(85)));
}

TEST_F(GroupViewTest, AfterALogWasCutOffChangesOfBeforeAreForgotten) {
  member("ann", 1, 5);
  hear(100, 5, "bob", change(MembersAction::kInvited, {"cat"}));
  view_.doubt();
  member("ann", 1, 40);
  EXPECT_TRUE(view_.caught_up(user("ann"))) << "nobody waits for 100";
  EXPECT_EQ(audience(41, 40), Names{"ann"});
}

TEST_F(GroupViewTest, WhoWasInAGroupThatIsCreatedAnewIsNotInIt) {
  member("ann", 1, 100);
  view_.doubt();
  const auto heard = hear(1, 0, "bob", change(MembersAction::kCreated, {"cat"}));
  EXPECT_EQ(audience(heard), Names{});
  EXPECT_EQ(heard.lost, (Names{"ann"}));
}

}  // namespace
}  // namespace martlet::edge
