#include "model/group.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace martlet {
namespace {

UserId user(std::string_view name) {
  return UserId::trusted(name);
}

std::vector<UserId> users(std::initializer_list<std::string_view> names) {
  std::vector<UserId> result;
  for (const auto name : names) result.push_back(user(name));
  return result;
}

MembersChange act(MembersAction action, std::vector<UserId> whom = {},
                  GroupRole role = GroupRole::kNone) {
  return {.action = action, .users = std::move(whom), .role = role};
}

// Owner olga, admins ada and abe, members max and mia.
class GroupTest : public testing::Test {
 protected:
  explicit GroupTest(JoinPolicy join = JoinPolicy::kInvited) {
    MembersChange created = act(MembersAction::kCreated, users({"ada", "abe", "max", "mia"}));
    created.join = join;
    group_.apply(user("olga"), created);
    group_.apply(user("olga"), act(MembersAction::kRoleSet, users({"ada"}), GroupRole::kAdmin));
    group_.apply(user("olga"), act(MembersAction::kRoleSet, users({"abe"}), GroupRole::kAdmin));
  }
  ErrorCode may(std::string_view actor, const MembersChange& change) const {
    return group_.why_not(user(actor), change);
  }
  GroupMembers group_;
};

class OpenGroupTest : public GroupTest {
 protected:
  OpenGroupTest() : GroupTest(JoinPolicy::kAnyone) {}
};

TEST_F(GroupTest, CreationMakesTheSenderItsOwnerAndTheOthersMembers) {
  EXPECT_EQ(group_.role_of(user("olga")), GroupRole::kOwner);
  EXPECT_EQ(group_.role_of(user("max")), GroupRole::kMember);
  EXPECT_EQ(group_.size(), 5u);
}

TEST_F(GroupTest, AnIdIsTakenForEver) {
  EXPECT_EQ(may("olga", act(MembersAction::kCreated)), ErrorCode::kGroupTaken);
  group_.apply(user("olga"), act(MembersAction::kDisbanded));
  EXPECT_EQ(may("olga", act(MembersAction::kCreated)), ErrorCode::kGroupTaken);
}

TEST_F(GroupTest, OnlyOwnerAndAdminsInvite) {
  const MembersChange invite = act(MembersAction::kInvited, users({"new"}));
  EXPECT_EQ(may("olga", invite), ErrorCode::kNone);
  EXPECT_EQ(may("ada", invite), ErrorCode::kNone);
  EXPECT_EQ(may("max", invite), ErrorCode::kForbidden);
  EXPECT_EQ(may("new", invite), ErrorCode::kNotMember);
}

TEST_F(OpenGroupTest, MembersInviteAndAnybodyJoins) {
  EXPECT_EQ(may("max", act(MembersAction::kInvited, users({"new"}))), ErrorCode::kNone);
  EXPECT_EQ(may("new", act(MembersAction::kJoined)), ErrorCode::kNone);
  EXPECT_EQ(may("max", act(MembersAction::kJoined)), ErrorCode::kAlreadyMember);
}

TEST_F(GroupTest, NobodyJoinsUninvited) {
  EXPECT_EQ(may("new", act(MembersAction::kJoined)), ErrorCode::kForbidden);
}

TEST_F(GroupTest, InvitingOnlyMembersIsRefused) {
  EXPECT_EQ(may("olga", act(MembersAction::kInvited, users({"max"}))), ErrorCode::kAlreadyMember);
  EXPECT_EQ(may("olga", act(MembersAction::kInvited, users({"max", "new"}))), ErrorCode::kNone);
}

TEST_F(GroupTest, OwnerAndAdminsRemoveThoseBelowThem) {
  EXPECT_EQ(may("ada", act(MembersAction::kRemoved, users({"max"}))), ErrorCode::kNone);
  EXPECT_EQ(may("ada", act(MembersAction::kRemoved, users({"abe"}))), ErrorCode::kForbidden);
  EXPECT_EQ(may("ada", act(MembersAction::kRemoved, users({"olga"}))), ErrorCode::kForbidden);
  EXPECT_EQ(may("olga", act(MembersAction::kRemoved, users({"abe"}))), ErrorCode::kNone);
  EXPECT_EQ(may("olga", act(MembersAction::kRemoved, users({"olga"}))), ErrorCode::kForbidden);
  EXPECT_EQ(may("max", act(MembersAction::kRemoved, users({"mia"}))), ErrorCode::kForbidden);
  EXPECT_EQ(may("ada", act(MembersAction::kRemoved, users({"new"}))), ErrorCode::kNotMember);
}

TEST_F(GroupTest, TheOwnerHandsOverBeforeLeaving) {
  EXPECT_EQ(may("olga", act(MembersAction::kLeft)), ErrorCode::kOwnerStays);
  const MembersChange hand_over = act(MembersAction::kRoleSet, users({"max"}), GroupRole::kOwner);
  EXPECT_EQ(may("ada", hand_over), ErrorCode::kForbidden);
  ASSERT_EQ(may("olga", hand_over), ErrorCode::kNone);
  group_.apply(user("olga"), hand_over);
  EXPECT_EQ(group_.role_of(user("max")), GroupRole::kOwner);
  EXPECT_EQ(group_.role_of(user("olga")), GroupRole::kAdmin);
  EXPECT_EQ(may("olga", act(MembersAction::kLeft)), ErrorCode::kNone);
}

TEST_F(GroupTest, OnlyTheOwnerDisbandsAndThenNothingGoes) {
  EXPECT_EQ(may("ada", act(MembersAction::kDisbanded)), ErrorCode::kForbidden);
  ASSERT_EQ(may("olga", act(MembersAction::kDisbanded)), ErrorCode::kNone);
  EXPECT_EQ(group_.apply(user("olga"), act(MembersAction::kDisbanded)).went.size(), 5u);
  EXPECT_EQ(may("olga", act(MembersAction::kInvited, users({"new"}))), ErrorCode::kNoSuchGroup);
}

TEST_F(GroupTest, AChangeTellsWhoCameAndWentAndRepeatsNobody) {
  EXPECT_EQ(group_.apply(user("ada"), act(MembersAction::kInvited, users({"max", "new"}))).came,
            users({"new"}));
  EXPECT_EQ(group_.role_of(user("max")), GroupRole::kMember);
  EXPECT_EQ(group_.apply(user("ada"), act(MembersAction::kRemoved, users({"new", "who"}))).went,
            users({"new"}));
  EXPECT_EQ(group_.apply(user("max"), act(MembersAction::kLeft)).went, users({"max"}));
}

TEST(GroupMembers, AFullGroupTakesNobody) {
  GroupMembers::Roles roles{{user("olga"), GroupRole::kOwner}};
  while (roles.size() < kMaxGroupMembers - 1) {
    roles.emplace(user("m" + std::to_string(roles.size())), GroupRole::kMember);
  }
  GroupMembers group(roles, JoinPolicy::kAnyone);
  const auto invite = act(MembersAction::kInvited, users({"one", "two"}));
  EXPECT_EQ(group.why_not(user("olga"), invite), ErrorCode::kGroupFull);
  EXPECT_EQ(group.why_not(user("one"), act(MembersAction::kJoined)), ErrorCode::kNone);
  group.apply(user("one"), act(MembersAction::kJoined));
  EXPECT_EQ(group.why_not(user("two"), act(MembersAction::kJoined)), ErrorCode::kGroupFull);
}

TEST(GroupId, HasNoCapitals) {
  EXPECT_TRUE(is_valid_group_id(GroupId::trusted("team-7_a")));
  EXPECT_FALSE(is_valid_group_id(GroupId::trusted("Team")));
}

}  // namespace
}  // namespace martlet
