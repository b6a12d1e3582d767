#include "wire/rpc.h"

#include <gtest/gtest.h>

#include <string>

#include "samples.h"
#include "wire/admin.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

using samples::alice_and_bob;
using samples::detail_of;
using samples::device;
using samples::msg_id;
using samples::user;

TEST(Rpc, ClientRequestComesBack) {
  const Bytes bytes = encode(ClientRequest{Command::Sync, user("alice"), device("phone"), "body"});
  const auto got = parse_client_request(bytes);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->command, Command::Sync);
  EXPECT_EQ(got->user, user("alice"));
  EXPECT_EQ(got->device, device("phone"));
  EXPECT_EQ(got->body, "body");
}

TEST(Rpc, ClientRequestTellsHowLongItIsWaitedFor) {
  ClientRequest request{.command = Command::Sync, .body = "body"};
  request.wait = std::chrono::milliseconds(1234);
  EXPECT_EQ(parse_client_request(encode(request))->wait, request.wait);
  request.wait = {};  // as an edge that does not tell
  EXPECT_EQ(parse_client_request(encode(request))->wait, std::chrono::milliseconds(kRpcTimeoutMs));
}

TEST(Rpc, ClientRequestBeforeAuthHasNoUser) {
  const Bytes bytes = encode(ClientRequest{.command = Command::Login, .body = "body"});
  EXPECT_TRUE(parse_client_request(bytes)->user.empty());
}

TEST(Rpc, EmptyBodyOfAClientComesBack) {
  const Bytes bytes = encode(ClientRequest{.command = Command::Sync, .body = ""});
  EXPECT_EQ(parse_client_request(bytes)->body, "");
}

TEST(Rpc, ClientAnswerIsABodyOrAnError) {
  const Bytes body = encode(ClientAnswer{.command = Command::Sync, .body = "page"});
  EXPECT_EQ(parse_client_answer(body)->error.code, ErrorCode::kNone);
  EXPECT_EQ(parse_client_answer(body)->body, "page");
  const Bytes error = encode(ClientAnswer{Command::Sync, {ErrorCode::kBusy, "later", 70}, {}});
  EXPECT_EQ(parse_client_answer(error)->command, Command::Sync);
  EXPECT_EQ(parse_client_answer(error)->error.code, ErrorCode::kBusy);
  EXPECT_EQ(parse_client_answer(error)->error.detail, "later");
  EXPECT_EQ(parse_client_answer(error)->error.retry_after_ms, 70U);
}

TEST(Rpc, ShardQuestionAndAnswerComeBack) {
  const auto question = parse_shard_question(encode(ShardQuestion{ShardId(5), LogPosition(77)}));
  ASSERT_TRUE(question) << detail_of(question);
  EXPECT_EQ(question->shard, ShardId(5));
  EXPECT_EQ(question->known, LogPosition(77));
  const Bytes bytes = encode(ShardAnswer{.shard = ShardId(5),
                                         .generation = Generation(2),
                                         .base = 100,
                                         .watermark = LogPosition(120)});
  const auto got = parse_shard_answer(bytes);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->error.code, ErrorCode::kNone);
  EXPECT_EQ(got->shard, ShardId(5));
  EXPECT_EQ(got->generation, Generation(2));
  EXPECT_EQ(got->base, 100U);
  EXPECT_EQ(got->watermark, LogPosition(120));
}

TEST(Rpc, ColdQuestionComesBack) {
  const GroupId group = GroupId::trusted("team");
  const Bytes bytes = encode(ColdQuestion{ShardId(5),
                                          Generation(2),
                                          LogPosition(120),
                                          {alice_and_bob()},
                                          {{alice_and_bob(), user("bob"), msg_id(9)}},
                                          {{user("carol"), group}, {user("dave"), group}}});
  const auto got = parse_cold_question(bytes);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->shard, ShardId(5));
  EXPECT_EQ(got->generation, Generation(2));
  EXPECT_EQ(got->min_watermark, LogPosition(120));
  EXPECT_EQ(got->conversations, std::vector{alice_and_bob()});
  ASSERT_EQ(got->messages.size(), 1U);
  EXPECT_EQ(got->messages[0].conversation, alice_and_bob());
  EXPECT_EQ(got->messages[0].sender, user("bob"));
  EXPECT_EQ(got->messages[0].client_msg_id, msg_id(9));
  ASSERT_EQ(got->users.size(), 2U);
  EXPECT_EQ(got->users[1].user, user("dave"));
  EXPECT_EQ(got->users[1].group, group);
}

TEST(Rpc, ColdAnswerComesBack) {
  ColdAnswer sent;
  sent.generation = Generation(2);
  sent.watermark = LogPosition(121);
  sent.heads = {{HeadStatus::kKnown, Seq(8)}, {HeadStatus::kNoSuchUser, Seq(0)}};
  sent.messages = {{true, Seq(4), MessageId(44), 1234, 0xFEDCBA9876543210}, {}};
  const auto got = parse_cold_answer(encode(sent));
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->error.code, ErrorCode::kNone);
  EXPECT_EQ(got->generation, Generation(2));
  EXPECT_EQ(got->watermark, LogPosition(121));
  ASSERT_EQ(got->heads.size(), 2U);
  EXPECT_EQ(got->heads[0].status, HeadStatus::kKnown);
  EXPECT_EQ(got->heads[0].last_seq, Seq(8));
  EXPECT_EQ(got->heads[1].status, HeadStatus::kNoSuchUser);
  ASSERT_EQ(got->messages.size(), 2U);
  EXPECT_TRUE(got->messages[0].found);
  EXPECT_EQ(got->messages[0].seq, Seq(4));
  EXPECT_EQ(got->messages[0].message_id, MessageId(44));
  EXPECT_EQ(got->messages[0].time_ms, 1234U);
  EXPECT_EQ(got->messages[0].content_hash, 0xFEDCBA9876543210U);
  EXPECT_FALSE(got->messages[1].found);
}

TEST(Rpc, ColdAnswerTellsGroupsAndUsers) {
  const GroupMembers members(
      {{user("alice"), GroupRole::kOwner}, {user("bob"), GroupRole::kMember}}, JoinPolicy::kAnyone);
  ColdAnswer sent;
  sent.heads = {{HeadStatus::kKnown, Seq(8), GroupState{Seq(6), members}},
                {HeadStatus::kKnown, Seq(9), GroupState{Seq(9), {}}},
                {HeadStatus::kKnown, Seq(3)},
                {HeadStatus::kNoSuchGroup},
                {HeadStatus::kOmitted}};
  sent.users = {UserStatus::kExists, UserStatus::kNoSuchUser, UserStatus::kTooManyGroups,
                UserStatus::kCameTooOften};
  const auto got = parse_cold_answer(encode(sent));
  ASSERT_TRUE(got) << detail_of(got);
  ASSERT_EQ(got->heads.size(), 5U);
  ASSERT_TRUE(got->heads[0].group.has_value());
  EXPECT_EQ(got->heads[0].group->members_at, Seq(6));
  EXPECT_EQ(got->heads[0].group->members.roles(), members.roles());
  EXPECT_EQ(got->heads[0].group->members.join(), JoinPolicy::kAnyone);
  ASSERT_TRUE(got->heads[1].group.has_value()) << "a group without members was disbanded";
  EXPECT_EQ(got->heads[1].group->members.size(), 0U);
  EXPECT_FALSE(got->heads[2].group.has_value());
  EXPECT_EQ(got->heads[3].status, HeadStatus::kNoSuchGroup);
  EXPECT_EQ(got->heads[4].status, HeadStatus::kOmitted);
  EXPECT_EQ(got->users, sent.users);
}

TEST(Rpc, LargestGroupFitsAnAnswer) {
  GroupMembers::Roles roles;
  for (std::size_t i = 0; i < kMaxGroupMembers; ++i) {
    roles[user(std::string(60, 'x') + std::to_string(1000 + i))] = GroupRole::kMember;
  }
  ColdAnswer sent;
  sent.heads = {{HeadStatus::kKnown, Seq(8), GroupState{Seq(6), {roles, JoinPolicy::kInvited}}}};
  const Bytes bytes = encode(sent);
  EXPECT_LE(bytes.size(), kMaxGroupMembers * kMemberBytes + kMaxEnvelopeBytes);
  const auto got = parse_cold_answer(bytes);
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->heads[0].group->members.size(), kMaxGroupMembers);
}

TEST(Rpc, MovesComeBack) {
  const auto question = parse_moves_question(encode(MovesQuestion{EdgeId::trusted("e1"), 7, true}));
  ASSERT_TRUE(question) << detail_of(question);
  EXPECT_EQ(question->edge.str(), "e1");
  EXPECT_EQ(question->sessions, 7U);
  EXPECT_TRUE(question->draining);
  const std::vector<Move> moves = {{"10.0.0.2:7400", 5}, {"", 2}};
  EXPECT_EQ(parse_moves_answer(encode(MovesAnswer{moves})).value().moves, moves);
  EXPECT_TRUE(parse_moves_answer(encode(MovesAnswer{})).value().moves.empty());
  EXPECT_FALSE(parse_moves_question("garbage"));
  EXPECT_FALSE(parse_moves_answer("garbage"));
}

TEST(Rpc, AdminActsComeBack) {
  const AdminRequest ban{
      AdminAct::kBan, "ann", UserId::trusted("bob"), DeviceId::trusted("tv"), {}};
  const auto got = parse_admin_request(encode(ban));
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->act, AdminAct::kBan);
  EXPECT_EQ(got->who, "ann");
  EXPECT_EQ(got->user, ban.user);
  EXPECT_EQ(got->device, ban.device);
  const AdminRequest drain{AdminAct::kDrain, "ann", {}, {}, EdgeId::trusted("e1")};
  EXPECT_EQ(parse_admin_request(encode(drain)).value().edge, drain.edge);
  const auto answer = parse_admin_answer(encode(AdminAnswer{{ErrorCode::kBusy, "x", 0}, 2}));
  EXPECT_EQ(answer.value().error.code, ErrorCode::kBusy);
  EXPECT_EQ(answer->devices, 2U);
  EXPECT_FALSE(parse_admin_request("garbage"));
}

TEST(Rpc, AnActThatConcernsNobodyIsRefused) {
  const UserId bob = UserId::trusted("bob");
  const EdgeId edge = EdgeId::trusted("e1");
  EXPECT_TRUE(parse_admin_request(encode(AdminRequest{AdminAct::kKick, "ann", bob, {}, {}})));
  for (const AdminRequest& bad : {AdminRequest{AdminAct::kKick, "ann", {}, {}, {}},
                                  AdminRequest{AdminAct::kKick, "ann", bob, {}, edge},
                                  AdminRequest{AdminAct::kDrain, "ann", bob, {}, {}},
                                  AdminRequest{AdminAct::kDrain, "ann", bob, {}, edge},
                                  AdminRequest{AdminAct::kBan, "ann", bob, {}, {}},
                                  AdminRequest{static_cast<AdminAct>(6), "ann", bob, {}, {}},
                                  AdminRequest{static_cast<AdminAct>(0), "ann", bob, {}, {}}}) {
    EXPECT_FALSE(parse_admin_request(encode(bad)));
  }
}

TEST(Rpc, TheAuditLogComesBack) {
  AuditAnswer sent;
  sent.rows.resize(
      kMaxAuditRows,
      {7, 1000, {AdminAct::kRevoke, "ann", UserId::trusted("bob"), DeviceId::trusted("tv"), {}}});
  const auto got = parse_audit_answer(encode(sent));
  ASSERT_TRUE(got) << detail_of(got);
  ASSERT_EQ(got->rows.size(), kMaxAuditRows);
  EXPECT_EQ(got->rows[1].id, 7U);
  EXPECT_EQ(got->rows[1].request.device.str(), "tv");
  EXPECT_TRUE(parse_audit_question(encode(AuditQuestion{0, kMaxAuditRows})));
  EXPECT_FALSE(parse_audit_question(encode(AuditQuestion{0, kMaxAuditRows + 1})));
  EXPECT_FALSE(parse_audit_question(encode(AuditQuestion{0, 0})));
}

TEST(Rpc, MovesAreNotEndless) {
  std::vector<Move> moves(kMaxMoves, Move{"a:1", 1});
  EXPECT_TRUE(parse_moves_answer(encode(MovesAnswer{moves})));
  moves.front().to = std::string(kMaxLabelBytes + 1, 'a');
  EXPECT_FALSE(parse_moves_answer(encode(MovesAnswer{moves})));
}

TEST(Rpc, GroupsQuestionIsOfAUserOrOfAGroup) {
  const auto of_user = parse_groups_question(encode(GroupsQuestion{.user = user("alice")}));
  ASSERT_TRUE(of_user) << detail_of(of_user);
  EXPECT_EQ(of_user->user, user("alice"));
  EXPECT_TRUE(of_user->group.empty());
  const auto of_group = parse_groups_question(encode(
      GroupsQuestion{.group = GroupId::trusted("team"), .users = {user("alice"), user("bob")}}));
  ASSERT_TRUE(of_group) << detail_of(of_group);
  EXPECT_EQ(of_group->group.str(), "team");
  EXPECT_EQ(of_group->users, (std::vector{user("alice"), user("bob")}));
}

TEST(Rpc, GroupsAnswerComesBack) {
  const GroupsAnswer sent{
      .members_at = Seq(12),
      .memberships = {{GroupId::trusted("team"), user("alice"), Seq(1), Seq(12)},
                      {GroupId::trusted("team"), user("bob"), Seq(9), Seq(12)}},
      .behind = true,
      .again_in_ms = 250};
  const auto got = parse_groups_answer(encode(sent));
  ASSERT_TRUE(got) << detail_of(got);
  EXPECT_EQ(got->error.code, ErrorCode::kNone);
  EXPECT_EQ(got->members_at, Seq(12));
  ASSERT_EQ(got->memberships.size(), 2U);
  EXPECT_EQ(got->memberships[1].group.str(), "team");
  EXPECT_EQ(got->memberships[1].user, user("bob"));
  EXPECT_EQ(got->memberships[1].from_seq, Seq(9));
  EXPECT_EQ(got->memberships[1].members_at, Seq(12));
  EXPECT_TRUE(got->behind);
  EXPECT_EQ(got->again_in_ms, 250U);
  const auto error =
      parse_groups_answer(encode(GroupsAnswer{.error = {ErrorCode::kBusy, "later"}}));
  EXPECT_EQ(error->error.code, ErrorCode::kBusy);
}

TEST(Rpc, ErrorsComeBack) {
  const auto shard =
      parse_shard_answer(encode(ShardAnswer{.error = {ErrorCode::kUnavailable, "db"}}));
  EXPECT_EQ(shard->error.code, ErrorCode::kUnavailable);
  const auto cold = parse_cold_answer(encode(ColdAnswer{.error = {ErrorCode::kBusy, "behind"}}));
  EXPECT_EQ(cold->error.code, ErrorCode::kBusy);
  EXPECT_EQ(cold->error.detail, "behind");
}

TEST(Rpc, GarbageIsAnError) {
  const std::string garbage(100, '\x11');
  EXPECT_FALSE(parse_client_request(garbage));
  EXPECT_FALSE(parse_client_answer(garbage));
  EXPECT_FALSE(parse_shard_question(garbage));
  EXPECT_FALSE(parse_shard_answer(garbage));
  EXPECT_FALSE(parse_cold_question(garbage));
  EXPECT_FALSE(parse_cold_answer(garbage));
  EXPECT_FALSE(parse_groups_question(garbage));
  EXPECT_FALSE(parse_groups_answer(garbage));
}

TEST(Rpc, RandomChangesGiveAResultOrAClearError) {
  const Bytes good = encode(ColdQuestion{ShardId(5),
                                         Generation(2),
                                         LogPosition(1),
                                         {alice_and_bob()},
                                         {{alice_and_bob(), user("bob"), msg_id(9)}}});
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    SeededRandom random(seed);
    EXPECT_TRUE(base::is_utf8(detail_of(parse_cold_question(samples::mutate(good, random)))));
  }
}

}  // namespace
}  // namespace martlet::wire
