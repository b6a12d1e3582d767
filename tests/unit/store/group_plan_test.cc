#include "store/group_plan.h"

#include <gtest/gtest.h>

#include <deque>

namespace martlet::store {
namespace {

constexpr std::int64_t kGroup = 7;

UserId user(std::string_view name) {
  return UserId::trusted(name);
}

class GroupPlanTest : public testing::Test {
 protected:
  // The position is ten times the seq.
  void act(std::uint64_t seq, std::string_view actor, MembersAction action,
           const std::vector<std::string>& users = {}, GroupRole role = GroupRole::kMember) {
    wire::Entry& entry = entries_.emplace_back();
    entry.kind = wire::EntryKind::kMembers;
    entry.seq = Seq(seq);
    entry.sender = user(actor);
    MembersChange change = change_;
    change.action = action;
    change.role = role;
    for (const std::string& name : users) change.users.push_back(user(name));
    plan_.apply(kGroup, {&entry, LogPosition(10 * seq), change});
  }
  // Of who: from, to, role.
  using Stay = std::tuple<std::string, std::uint64_t, std::uint64_t, GroupRole>;
  static std::vector<Stay> told(const std::vector<GroupPlan::Stay>& stays) {
    std::vector<Stay> out;
    for (const auto& stay : stays)
      out.emplace_back(stay.user, stay.from_seq, stay.to_seq, stay.role);
    return out;
  }

  std::deque<wire::Entry> entries_;
  MembersChange change_;  // what act() begins with
  GroupPlan plan_;
};

TEST_F(GroupPlanTest, AGroupBeginsWithItsOwnerAndMembers) {
  act(1, "ann", MembersAction::kCreated, {"ben"});
  EXPECT_EQ(told(plan_.begun()), (std::vector<Stay>{{"ann", 1, 0, GroupRole::kOwner},
                                                    {"ben", 1, 0, GroupRole::kMember}}));
  const GroupPlan::Group& group = plan_.groups().at(kGroup);
  EXPECT_TRUE(group.created);
  EXPECT_EQ(group.more_members, 2);
  EXPECT_EQ(group.members_at, 1u);
}

TEST_F(GroupPlanTest, WhoComesAndGoesAndComesBackInOneBatchHasTwoStays) {
  plan_.know_group(kGroup, EarlierHistory::kHidden);
  act(5, "ann", MembersAction::kInvited, {"ben"});
  act(6, "ben", MembersAction::kLeft);
  act(9, "ann", MembersAction::kInvited, {"ben"});
  EXPECT_EQ(told(plan_.begun()), (std::vector<Stay>{{"ben", 5, 6, GroupRole::kMember},
                                                    {"ben", 9, 0, GroupRole::kMember}}));
  EXPECT_EQ(plan_.groups().at(kGroup).more_members, 1);
  EXPECT_EQ(plan_.groups().at(kGroup).members_at, 9u);
  EXPECT_EQ(plan_.groups().at(kGroup).position, 90u);
}

TEST_F(GroupPlanTest, AStoredStayEnds) {
  plan_.know_group(kGroup, EarlierHistory::kHidden);
  plan_.know_member(kGroup, "ben", 3, GroupRole::kAdmin);
  act(8, "ann", MembersAction::kRemoved, {"ben", "zoe"});
  EXPECT_TRUE(plan_.begun().empty());
  const auto changed = plan_.changed();
  ASSERT_EQ(changed.size(), 1u) << "who was not in it does not change";
  EXPECT_EQ(changed[0].joined_seq, 3u);
  EXPECT_EQ(changed[0].to_seq, 8u);
  EXPECT_EQ(changed[0].ended_position, 80u);
  EXPECT_EQ(plan_.groups().at(kGroup).more_members, -1);
}

TEST_F(GroupPlanTest, WhoIsInItAlreadyIsNotAddedAgain) {
  plan_.know_group(kGroup, EarlierHistory::kHidden);
  plan_.know_member(kGroup, "ben", 3, GroupRole::kAdmin);
  act(8, "ann", MembersAction::kInvited, {"ben", "cem"});
  EXPECT_EQ(told(plan_.begun()), (std::vector<Stay>{{"cem", 8, 0, GroupRole::kMember}}));
  EXPECT_TRUE(plan_.changed().empty());
}

TEST_F(GroupPlanTest, HandingOverChangesBoth) {
  plan_.know_group(kGroup, EarlierHistory::kHidden);
  plan_.know_member(kGroup, "ann", 1, GroupRole::kOwner);
  plan_.know_member(kGroup, "ben", 3, GroupRole::kMember);
  act(8, "ann", MembersAction::kRoleSet, {"ben"}, GroupRole::kOwner);
  const auto changed = plan_.changed();
  ASSERT_EQ(changed.size(), 2u);
  EXPECT_EQ(changed[0].role, GroupRole::kAdmin);
  EXPECT_EQ(changed[1].role, GroupRole::kOwner);
  EXPECT_EQ(changed[0].to_seq, 0u);
}

TEST_F(GroupPlanTest, AnEndOfAllTakesThoseOfThisPlanAlong) {
  plan_.know_group(kGroup, EarlierHistory::kHidden);
  act(5, "ann", MembersAction::kInvited, {"ben"});
  act(6, "ann", MembersAction::kDisbanded);
  EXPECT_EQ(told(plan_.begun()), (std::vector<Stay>{{"ben", 5, 6, GroupRole::kMember}}));
  EXPECT_TRUE(plan_.groups().at(kGroup).disbanded);
}

TEST_F(GroupPlanTest, AShownPastBeginsWithTheFirstMessage) {
  plan_.know_group(kGroup, EarlierHistory::kShown);
  act(5, "ann", MembersAction::kInvited, {"ben"});
  const auto begun = plan_.begun();
  ASSERT_EQ(begun.size(), 1u);
  EXPECT_EQ(begun[0].from_seq, 1u);
  EXPECT_EQ(begun[0].joined_seq, 5u);
}

TEST_F(GroupPlanTest, AChangeOfAGroupThatIsNoneChangesNothing) {
  act(5, "ann", MembersAction::kInvited, {"ben"});
  EXPECT_TRUE(plan_.groups().empty());
  EXPECT_TRUE(plan_.begun().empty());
}

}  // namespace
}  // namespace martlet::store
