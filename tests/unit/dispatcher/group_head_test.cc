#include "dispatcher/group_head.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace martlet::dispatcher::testing {
namespace {

using Action = MembersAction;

wire::GroupState state(std::uint64_t members_at, GroupMembers::Roles roles) {
  return {Seq(members_at), GroupMembers(std::move(roles), JoinPolicy::kInvited)};
}

TEST(GroupHead, KnowsNothingAtFirst) {
  const GroupHead head;
  EXPECT_FALSE(head.is_known());
  EXPECT_FALSE(head.is_absent());
}

TEST(GroupHead, IsKnownFromItsCreationOn) {
  GroupHead head;
  head.apply(Seq(1), user("alice"), created({"bob"}));
  EXPECT_TRUE(head.is_known());
  EXPECT_EQ(head.members().role_of(user("alice")), GroupRole::kOwner);
  const auto moves = head.apply(Seq(2), user("bob"), act_of(Action::kLeft));
  EXPECT_EQ(moves.went, std::vector<UserId>{user("bob")});
  EXPECT_EQ(head.members_at(), Seq(2));
}

TEST(GroupHead, PutsChangesOfTheLogOnTopOfTheSnapshot) {
  GroupHead head;
  head.apply(Seq(5), user("alice"), act_of(Action::kInvited, {"carol"}));
  head.apply(Seq(7), user("alice"), act_of(Action::kRemoved, {"bob"}));
  EXPECT_FALSE(head.is_known());
  head.learn(state(3, {{user("alice"), GroupRole::kOwner}, {user("bob"), GroupRole::kMember}}));
  EXPECT_EQ(head.members_at(), Seq(7));
  EXPECT_TRUE(head.members().has(user("carol")));
  EXPECT_FALSE(head.members().has(user("bob")));
}

TEST(GroupHead, LeavesOutChangesThatTheSnapshotHas) {
  GroupHead head;
  head.apply(Seq(5), user("alice"), act_of(Action::kInvited, {"carol"}));
  head.apply(Seq(7), user("alice"), act_of(Action::kInvited, {"dave"}));
  // Carol came with 5, left again with 6.
  head.learn(state(6, {{user("alice"), GroupRole::kOwner}}));
  EXPECT_FALSE(head.members().has(user("carol")));
  EXPECT_TRUE(head.members().has(user("dave")));
  EXPECT_EQ(head.members_at(), Seq(7));
}

TEST(GroupHead, AnOlderSnapshotChangesNothing) {
  GroupHead head;
  head.apply(Seq(1), user("alice"), created());
  head.apply(Seq(2), user("alice"), act_of(Action::kInvited, {"bob"}));
  head.learn(state(1, {{user("alice"), GroupRole::kOwner}}));
  EXPECT_TRUE(head.members().has(user("bob")));
}

TEST(GroupHead, AnEmptySnapshotIsAGroupThatNobodyCreated) {
  GroupHead head;
  head.learn({});
  EXPECT_TRUE(head.is_absent());
  head.apply(Seq(1), user("alice"), created());
  EXPECT_FALSE(head.is_absent());
}

TEST(GroupHead, WeighsItsNames) {
  GroupHead head;
  EXPECT_EQ(head.weight(), 0u);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < 3 * kMembersPerHead; ++i) names.push_back("u" + std::to_string(i));
  head.apply(Seq(1), user("alice"), act_of(Action::kInvited, names));
  EXPECT_EQ(head.weight(), 3u);
  head.learn(state(4, {}));
  EXPECT_EQ(head.weight(), 0u);
}

TEST(GroupHead, SaysWhomAChangeConcerns) {
  GroupMembers members;
  EXPECT_EQ(concerned_by(created({"bob"}), members.apply(user("alice"), created({"bob"}))),
            (std::vector<UserId>{user("alice"), user("bob")}));
  const auto invite = act_of(Action::kInvited, {"bob", "carol"});
  EXPECT_EQ(concerned_by(invite, members.apply(user("alice"), invite)),
            std::vector<UserId>{user("carol")});
  EXPECT_EQ(perhaps_concerned_by(user("alice"), invite).size(), 2u);
  const auto end = act_of(Action::kDisbanded);
  EXPECT_TRUE(concerned_by(end, members.apply(user("alice"), end)).empty());
}

}  // namespace
}  // namespace martlet::dispatcher::testing
