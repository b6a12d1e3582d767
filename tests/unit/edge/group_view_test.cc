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
  using Heard = std::optional<GroupView::Heard>;

  void member(const std::string& name, std::uint64_t from, std::uint64_t as_of) {
    view_.learn(user(name), {Seq(from), Seq(as_of)});
  }
  static MembersChange change(MembersAction action, const Names& users = {}) {
    MembersChange result{.action = action};
    for (const auto& name : users) result.users.push_back(user(name));
    return result;
  }
  Heard hear(std::uint64_t seq, std::uint64_t members_at) {
    return view_.hear(Seq(seq), Seq(members_at));
  }
  Heard hear(std::uint64_t seq, std::uint64_t members_at, const std::string& actor,
             const MembersChange& what) {
    return view_.hear(GroupView::Act{Seq(seq), user(actor), what}, Seq(members_at));
  }
  GroupView::Effect own(const std::string& name, std::uint64_t seq, const std::string& actor,
                        const MembersChange& what) {
    return view_.hear_own(user(name), GroupView::Act{Seq(seq), user(actor), what});
  }
  static Names audience(const Heard& heard) {
    EXPECT_TRUE(heard.has_value()) << "it was held";
    return heard ? names(heard->audience) : Names{"?"};
  }
  Names audience(std::uint64_t seq, std::uint64_t members_at) {
    return audience(hear(seq, members_at));
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

TEST_F(GroupViewTest, AnEventAfterAnUnseenChangeIsHeld) {
  member("ann", 1, 5);
  member("ben", 5, 7);
  EXPECT_FALSE(hear(8, 7).has_value()) << "ann may have been removed at 7";
  member("ann", 1, 7);
  EXPECT_EQ(audience(8, 7), (Names{"ann", "ben"}));
}

TEST_F(GroupViewTest, AChangeAfterAnUnseenChangeIsHeldAndNotApplied) {
  member("ann", 1, 5);
  EXPECT_FALSE(hear(8, 7, "bob", change(MembersAction::kInvited, {"cat"})).has_value());
  EXPECT_FALSE(view_.knows(Seq(7)));
}

TEST_F(GroupViewTest, ASeenChangeKeepsTheViewCurrent) {
  member("ann", 1, 5);
  EXPECT_EQ(audience(hear(6, 5, "bob", change(MembersAction::kInvited, {"cat"}))), (Names{"ann"}));
  EXPECT_EQ(audience(7, 6), (Names{"ann"}));
}

TEST_F(GroupViewTest, WhatIsNoMessageGoesToThoseWhoAreKnown) {
  member("ann", 1, 5);
  member("ben", 7, 7);
  EXPECT_EQ(names(view_.audience_now(Seq(5))), (Names{"ann", "ben"}));
  EXPECT_EQ(names(view_.audience_now(Seq(7))), (Names{"ben"}));
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
  EXPECT_FALSE(hear(10, 9).has_value());
}

// ---- leaves ----------------------------------------------------------------------------------

TEST_F(GroupViewTest, WhoIsRemovedIsGoneAtOnceWhateverComesFirst) {
  const auto removed = change(MembersAction::kRemoved, {"ben"});
  member("ann", 1, 5);
  member("ben", 1, 5);
  const auto heard = hear(6, 5, "ann", removed);
  EXPECT_EQ(audience(heard), (Names{"ann"}));
  EXPECT_EQ(names(heard->gone), (Names{"ben"}));
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
  EXPECT_TRUE(heard->gone.empty());
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
  EXPECT_EQ(names(heard->gone), (Names{"ann", "ben"}));
  EXPECT_TRUE(view_.empty());
}

TEST_F(GroupViewTest, AnOldRemovalDoesNotUndoAReturn) {
  member("ben", 8, 8);
  const auto removed = change(MembersAction::kRemoved, {"ben"});
  EXPECT_EQ(own("ben", 6, "ann", removed), GroupView::Effect::kStays);
  EXPECT_TRUE(hear(6, 5, "ann", removed)->gone.empty());
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
  EXPECT_FALSE(hear(86, 85).has_value()) << "85 is another change than the one that was known";
  EXPECT_TRUE(view_.learn_absent(user("ann"), Seq(85)));
}

TEST_F(GroupViewTest, WhoWasInAGroupThatIsCreatedAnewIsNotInIt) {
  member("ann", 1, 100);
  view_.doubt();
  const auto heard = hear(1, 0, "bob", change(MembersAction::kCreated, {"cat"}));
  EXPECT_EQ(audience(heard), Names{});
  EXPECT_EQ(names(heard->gone), (Names{"ann"}));
}

}  // namespace
}  // namespace martlet::edge
