#include "wire/group_requests.h"

#include <gtest/gtest.h>

#include <string>

#include "model/limits.h"
#include "samples.h"
#include "wire/json_codec.h"

namespace martlet::wire {
namespace {

using samples::code_of;
using samples::detail_of;
using samples::msg_id;
using samples::user;

constexpr MembersAction kAllActions[] = {
    MembersAction::kCreated,   MembersAction::kInvited, MembersAction::kJoined,
    MembersAction::kLeft,      MembersAction::kRemoved, MembersAction::kRoleSet,
    MembersAction::kDisbanded,
};

GroupId group(std::string_view name) {
  return GroupId::trusted(name);
}

std::vector<UserId> users(std::size_t count) {
  std::vector<UserId> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(user("user" + std::to_string(i)));
  return out;
}

// With every field that the action has.
GroupChange a_change(MembersAction action) {
  GroupChange out{group("team"), msg_id(1), std::chrono::milliseconds(1500), {.action = action}};
  MembersChange& change = out.change;
  if (action == MembersAction::kCreated) {
    change.title = "The Team";
    change.join = JoinPolicy::kAnyone;
    change.earlier_history = EarlierHistory::kShown;
  }
  if (action == MembersAction::kCreated || action == MembersAction::kInvited ||
      action == MembersAction::kRemoved) {
    change.users = {user("bob"), user("carol")};
  }
  if (action == MembersAction::kRoleSet) {
    change.users = {user("bob")};
    change.role = GroupRole::kAdmin;
  }
  return out;
}

// As a careless client writes it: encode() would assert.
ErrorCode error_of(Command command, const std::string& fields) {
  const std::string json =
      R"({"group":"team","client_msg_id":"0190d0c0ffee70008000000000000001")" + fields + "}";
  const auto body = json_to_body(command, json, kMaxBodyBytes);
  EXPECT_TRUE(body) << detail_of(body);
  return code_of(parse_group_change(command, body.value_or(Bytes())));
}

std::string list_of(std::size_t count) {
  std::string out = "[";
  for (std::size_t i = 0; i < count; ++i) {
    out += (i == 0 ? "\"user" : ",\"user") + std::to_string(i) + '"';
  }
  return out + "]";
}

TEST(GroupRequests, ChangesComeBack) {
  for (const MembersAction action : kAllActions) {
    const GroupChange sent = a_change(action);
    const auto got = parse_group_change(command_of(action), encode(sent));
    ASSERT_TRUE(got) << static_cast<int>(action) << ": " << detail_of(got);
    EXPECT_EQ(got->group, sent.group);
    EXPECT_EQ(got->client_msg_id, sent.client_msg_id);
    EXPECT_EQ(got->age, sent.age);
    EXPECT_EQ(got->change, sent.change) << static_cast<int>(action);
  }
}

TEST(GroupRequests, AgeMayBeUnknown) {
  GroupChange sent = a_change(MembersAction::kJoined);
  sent.age.reset();
  EXPECT_FALSE(parse_group_change(Command::GroupJoin, encode(sent))->age.has_value());
}

TEST(GroupRequests, ExactlySevenCommandsChangeAGroup) {
  int count = 0;
  for (const CommandInfo& info : all_commands()) count += is_group_change(info.command) ? 1 : 0;
  EXPECT_EQ(count, 7);
  EXPECT_EQ(code_of(parse_group_change(Command::GroupInfo, "")), ErrorCode::kUnknownCommand);
}

TEST(GroupRequests, NewGroupHasNoCapitals) {
  GroupChange sent = a_change(MembersAction::kCreated);
  sent.group = group("Team");
  EXPECT_EQ(code_of(parse_group_change(Command::GroupCreate, encode(sent))), ErrorCode::kBadId);
  sent.change = {.action = MembersAction::kJoined};
  EXPECT_EQ(code_of(parse_group_change(Command::GroupJoin, encode(sent))), ErrorCode::kNone);
}

TEST(GroupRequests, NamesAtMostAHundredUsers) {
  GroupChange sent = a_change(MembersAction::kInvited);
  sent.change.users = users(100);
  EXPECT_EQ(parse_group_change(Command::GroupInvite, encode(sent))->change.users.size(), 100U);
  for (const Command command : {Command::GroupCreate, Command::GroupInvite, Command::GroupRemove}) {
    EXPECT_EQ(error_of(command, R"(,"users":)" + list_of(101)), ErrorCode::kBadRange);
  }
}

TEST(GroupRequests, NamesNobodyTwice) {
  EXPECT_EQ(error_of(Command::GroupInvite, R"(,"users":["bob","carol","bob"])"),
            ErrorCode::kBadBody);
}

TEST(GroupRequests, NamesAreIds) {
  EXPECT_EQ(error_of(Command::GroupInvite, R"(,"users":["b.b"])"), ErrorCode::kBadId);
  EXPECT_EQ(error_of(Command::GroupInvite, R"(,"users":[""])"), ErrorCode::kBadId);
  EXPECT_EQ(error_of(Command::GroupSetRole, R"(,"user":"b.b","role":"Admin")"), ErrorCode::kBadId);
}

TEST(GroupRequests, InvitingOrRemovingNobodyIsABadBody) {
  EXPECT_EQ(error_of(Command::GroupInvite, R"(,"users":[])"), ErrorCode::kBadBody);
  EXPECT_EQ(error_of(Command::GroupRemove, R"(,"users":[])"), ErrorCode::kBadBody);
  EXPECT_EQ(error_of(Command::GroupCreate, R"(,"users":[])"), ErrorCode::kNone);
}

TEST(GroupRequests, RolesAndPoliciesAreKnownOnes) {
  EXPECT_EQ(error_of(Command::GroupSetRole, R"(,"user":"bob","role":3)"), ErrorCode::kNone);
  EXPECT_EQ(error_of(Command::GroupSetRole, R"(,"user":"bob","role":4)"), ErrorCode::kBadBody);
  EXPECT_EQ(error_of(Command::GroupSetRole, R"(,"user":"bob","role":"None")"), ErrorCode::kBadBody);
  EXPECT_EQ(error_of(Command::GroupSetRole, R"(,"user":"bob")"), ErrorCode::kBadBody);
  EXPECT_EQ(error_of(Command::GroupCreate, R"(,"join":2)"), ErrorCode::kBadBody);
  EXPECT_EQ(error_of(Command::GroupCreate, R"(,"earlier_history":2)"), ErrorCode::kBadBody);
}

TEST(GroupRequests, TitlesHaveALimit) {
  const std::string title(kMaxTitleBytes, 'x');
  EXPECT_EQ(error_of(Command::GroupCreate, R"(,"title":")" + title + '"'), ErrorCode::kNone);
  EXPECT_NE(error_of(Command::GroupCreate, R"(,"title":"x)" + title + '"'), ErrorCode::kNone);
  EXPECT_NE(error_of(Command::GroupCreate, R"(,"title":"\u0000")"), ErrorCode::kNone);
}

TEST(GroupRequests, ZeroMessageIdIsABadId) {
  const auto body = json_to_body(
      Command::GroupLeave, R"({"group":"team","client_msg_id":"00000000000000000000000000000000"})",
      kMaxBodyBytes);
  EXPECT_EQ(code_of(parse_group_change(Command::GroupLeave, *body)), ErrorCode::kBadId);
}

TEST(GroupRequests, QuestionsComeBack) {
  const Bytes info = encode(GroupInfo{group("team"), "carol", 7});
  EXPECT_EQ(parse_group_info(info)->group, group("team"));
  EXPECT_EQ(parse_group_info(info)->after, "carol");
  EXPECT_EQ(parse_group_info(info)->limit, 7U);
  const Bytes list = encode(GroupList{"team", 8});
  EXPECT_EQ(parse_group_list(list)->after, "team");
  EXPECT_EQ(parse_group_list(list)->limit, 8U);
  EXPECT_EQ(parse_group_list("")->after, "");
  EXPECT_EQ(code_of(parse_group_list(encode(GroupList{"a b", 0}))), ErrorCode::kBadId);
}

TEST(GroupRequests, TypingIsToOneUserOrGroup) {
  EXPECT_EQ(parse_typing(encode(Typing{user("bob"), {}}))->to_user, user("bob"));
  EXPECT_EQ(parse_typing(encode(Typing{{}, group("team")}))->to_group, group("team"));
  EXPECT_EQ(code_of(parse_typing("")), ErrorCode::kBadBody);
  const auto both =
      json_to_body(Command::Typing, R"({"to_user":"bob","to_group":"team"})", kMaxBodyBytes);
  EXPECT_EQ(code_of(parse_typing(*both)), ErrorCode::kBadBody);
}

TEST(GroupRequests, DevicesAndSignOutComeBack) {
  EXPECT_TRUE(parse_devices(encode(Devices())));
  EXPECT_EQ(parse_sign_out(encode(SignOut{samples::device("pc")}))->device, samples::device("pc"));
  EXPECT_TRUE(parse_sign_out("")->device.empty());
  const auto bad = json_to_body(Command::SignOut, R"({"device":""})", kMaxBodyBytes);
  EXPECT_EQ(code_of(parse_sign_out(*bad)), ErrorCode::kBadId);
}

TEST(GroupRequests, RandomChangesGiveAResultOrAClearError) {
  for (const MembersAction action : kAllActions) {
    const Bytes good = encode(a_change(action));
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
      SeededRandom random(seed);
      const auto got = parse_group_change(command_of(action), samples::mutate(good, random));
      EXPECT_TRUE(base::is_utf8(detail_of(got))) << seed;
    }
  }
}

}  // namespace
}  // namespace martlet::wire
