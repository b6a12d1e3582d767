#include "wire/members_change.h"

#include <gtest/gtest.h>

#include <string>

#include "samples.h"
#include "wire/content.h"
#include "wire/fields.h"

namespace martlet::wire {
namespace {

using samples::code_of;
using samples::detail_of;
using samples::user;

MembersChange invited() {
  return {.action = MembersAction::kInvited, .users = {user("bob"), user("carol")}};
}

// A content with any fields: what none of ours writes.
Bytes raw_content(proto::MembersAction action, std::size_t users, proto::GroupRole role,
                  proto::ContentKind kind = proto::ContentKind::Members) {
  Builder builder(256);
  std::vector<flatbuffers::Offset<flatbuffers::String>> names;
  for (std::size_t i = 0; i < users; ++i) names.push_back(put(builder, "u" + std::to_string(i)));
  const auto list = users == 0 ? 0 : builder.CreateVector(names);
  const auto members = proto::CreateMembersChange(builder, action, list, role);
  return finish(builder, proto::CreateContent(builder, kind, 0, 0, 0, 0, members));
}

TEST(MembersChangeContent, ComesBack) {
  const MembersChange created{MembersAction::kCreated, {user("bob")},
                              GroupRole::kNone,        "The Team",
                              JoinPolicy::kAnyone,     EarlierHistory::kShown};
  const MembersChange handed{
      .action = MembersAction::kRoleSet, .users = {user("bob")}, .role = GroupRole::kOwner};
  for (const MembersChange& sent :
       {created, invited(), handed, MembersChange{.action = MembersAction::kJoined},
        MembersChange{.action = MembersAction::kLeft},
        MembersChange{.action = MembersAction::kDisbanded}}) {
    const auto got = parse_members_change(encode(sent));
    ASSERT_TRUE(got) << detail_of(got);
    EXPECT_EQ(*got, sent);
  }
}

// Repeats are told from conflicts by the hash of the content.
TEST(MembersChangeContent, IsAFunctionOfTheChangeAlone) {
  EXPECT_EQ(encode(invited()), encode(invited()));
  MembersChange other = invited();
  other.users.pop_back();
  EXPECT_NE(encode(other), encode(invited()));
}

TEST(MembersChangeContent, ClientsMayNotSendOne) {
  EXPECT_EQ(code_of(parse_content(encode(invited()))), ErrorCode::kBadContent);
  const Bytes smuggled = raw_content(proto::MembersAction::Joined, 0, proto::GroupRole::None,
                                     proto::ContentKind::Text);
  EXPECT_EQ(code_of(parse_content(smuggled)), ErrorCode::kBadContent);
  Builder builder(256);
  const auto text = put(builder, "hi");
  const auto members = proto::CreateMembersChange(builder, proto::MembersAction::Left);
  const Bytes beside = finish(
      builder, proto::CreateContent(builder, proto::ContentKind::Text, text, 0, 0, 0, members));
  EXPECT_EQ(code_of(parse_content(beside)), ErrorCode::kBadContent);
}

TEST(MembersChangeContent, OtherContentsAreNone) {
  EXPECT_EQ(code_of(parse_members_change(encode_text("hi"))), ErrorCode::kBadContent);
  EXPECT_EQ(code_of(parse_members_change("garbage garbage")), ErrorCode::kBadBody);
  EXPECT_EQ(code_of(parse_members_change("")), ErrorCode::kBadBody);
}

TEST(MembersChangeContent, FieldsMustBeThoseOfTheAction) {
  using Action = proto::MembersAction;
  using Role = proto::GroupRole;
  for (const Bytes& bad :
       {raw_content(Action::Unknown, 0, Role::None), raw_content(Action::Invited, 0, Role::None),
        raw_content(Action::Invited, 1, Role::Admin), raw_content(Action::Joined, 1, Role::None),
        raw_content(Action::Left, 0, Role::Member), raw_content(Action::RoleSet, 1, Role::None),
        raw_content(Action::RoleSet, 2, Role::Admin), raw_content(Action::RoleSet, 0, Role::Admin),
        raw_content(Action::Disbanded, 1, Role::None)}) {
    EXPECT_EQ(code_of(parse_members_change(bad)), ErrorCode::kBadContent);
  }
}

TEST(MembersChangeContent, UnknownValuesAndTooManyUsersAreRefused) {
  EXPECT_EQ(code_of(parse_members_change(
                raw_content(static_cast<proto::MembersAction>(8), 0, proto::GroupRole::None))),
            ErrorCode::kBadBody);
  EXPECT_EQ(code_of(parse_members_change(
                raw_content(proto::MembersAction::RoleSet, 1, static_cast<proto::GroupRole>(4)))),
            ErrorCode::kBadBody);
  const auto of_many = [](std::size_t count) {
    return code_of(parse_members_change(
        raw_content(proto::MembersAction::Removed, count, proto::GroupRole::None)));
  };
  EXPECT_EQ(of_many(100), ErrorCode::kNone);
  EXPECT_EQ(of_many(101), ErrorCode::kBadRange);
}

TEST(MembersChangeContentDeathTest, IncompleteChangesAreBugs) {
  EXPECT_DEATH(encode(MembersChange{.action = MembersAction::kInvited}), "is_complete");
}

TEST(MembersChangeContent, RandomChangesGiveAResultOrAClearError) {
  const Bytes good = encode(invited());
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    SeededRandom random(seed);
    const auto got = parse_members_change(samples::mutate(good, random));
    EXPECT_TRUE(base::is_utf8(detail_of(got))) << seed;
  }
}

}  // namespace
}  // namespace martlet::wire
