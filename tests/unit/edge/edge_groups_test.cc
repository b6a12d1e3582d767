#include "edge_fixture.h"
#include "wire/group_answers.h"
#include "wire/group_requests.h"
#include "wire/members_change.h"

namespace martlet::edge {
namespace {

using wire::Command;

const GroupId kTeam = GroupId::trusted("team");
const ConversationId kConversation = ConversationId::of_group(kTeam);
constexpr std::string_view kSubject = "im.g.team";

class EdgeGroupsTest : public EdgeTest {
 protected:
  static wire::GroupMembership place(std::string_view user, std::uint64_t from = 1,
                                     std::uint64_t as_of = 5) {
    return {kTeam, UserId::trusted(user), Seq(from), Seq(as_of)};
  }
  // What persist answers to every question about groups.
  void persist_knows(const std::vector<wire::GroupMembership>& memberships) {
    bus_.answers[bus::subject::rpc_groups()] =
        wire::encode(wire::GroupsAnswer{.members_at = Seq(5), .memberships = memberships});
  }
  static wire::GroupChange change(MembersAction action, const std::vector<UserId>& users = {}) {
    return {.group = kTeam,
            .client_msg_id = msg_id(7),
            .age = std::chrono::milliseconds(0),
            .change = {.action = action, .users = users}};
  }
  Bytes group_event(std::uint64_t seq, std::uint64_t members_at, const Bytes& content,
                    bool members_change = false, const SessionId& origin = {}) {
    const Bytes body = wire::encode(wire::Message{.conversation = "g:team",
                                                  .seq = Seq(seq),
                                                  .message_id = MessageId(seq),
                                                  .sender = "zoe",
                                                  .client_msg_id = msg_id(1),
                                                  .content = content,
                                                  .members_at = Seq(members_at)});
    return wire::encode(wire::Event{.shard = ShardId(1),
                                    .generation = Generation(1),
                                    .epoch = Epoch(1),
                                    .position = LogPosition(1),
                                    .command = Command::MessageEvent,
                                    .conversation = "g:team",
                                    .seq = Seq(seq),
                                    .members_at = Seq(members_at),
                                    .origin = origin,
                                    .body = body,
                                    .members_change = members_change});
  }
  std::uint64_t next_seq(TestClient& client) {
    const Received event = next(client);
    EXPECT_EQ(event.command(), Command::MessageEvent);
    const auto message = wire::parse_message(event.body);
    return message ? message->seq.value() : 0;
  }
  FakeBus::Asked await_question() {
    run_until([&] { return !bus_.asked.empty(); });
    if (bus_.asked.empty()) return {};
    FakeBus::Asked asked = std::move(bus_.asked.front());
    bus_.asked.pop_front();
    return asked;
  }
  void expect_asked(Command command, const std::string& subject, const Bytes& body,
                    const Bytes& answer) {
    const auto asked = await_question();
    EXPECT_EQ(asked.subject, subject);
    EXPECT_EQ(wire::parse_client_request(asked.payload).value().command, command);
    EXPECT_EQ(wire::parse_client_request(asked.payload).value().body, body);
    asked.callback(wire::encode(wire::ClientAnswer{.command = command, .body = answer}));
  }
};

// ---- requests --------------------------------------------------------------------------------

TEST_F(EdgeGroupsTest, AMessageGoesToTheOwnerOfTheGroupsShard) {
  auto ann = login("ann", "phone");
  const Bytes content = wire::encode_text("x");
  ann->send(Command::Send, 2,
            wire::Send{.to_group = kTeam, .client_msg_id = msg_id(1), .content = content});
  const auto frame = await_frame();
  EXPECT_EQ(taken_.back().subject, bus::subject::in_group(shard_of(kConversation, 16), kTeam));
  EXPECT_EQ(frame.command, Command::Send);
}

TEST_F(EdgeGroupsTest, AChangeGoesToTheOwnerUntouchedAndIsAnsweredByItsAck) {
  auto ann = login("ann", "phone");
  for (const auto action : {MembersAction::kCreated, MembersAction::kInvited,
                            MembersAction::kJoined, MembersAction::kLeft, MembersAction::kRemoved,
                            MembersAction::kRoleSet, MembersAction::kDisbanded}) {
    auto body = change(action, {UserId::trusted("ben")});
    body.change.role = GroupRole::kAdmin;
    const Command command = wire::command_of(action);
    ann->send(command, 9, body);
    const auto frame = await_frame();
    EXPECT_EQ(taken_.back().subject, bus::subject::in_group(shard_of(kConversation, 16), kTeam));
    EXPECT_EQ(frame.command, command);
    EXPECT_EQ(frame.body, wire::encode(body));
    EXPECT_EQ(frame.first_sent_ms, frame.received_ms);
    auto given = accepted(frame, msg_id(7), 3);
    given.conversation = "g:team";
    answer({given});
    const Received ack = next(*ann);
    EXPECT_EQ(ack.command(), wire::answer_to(command));
    EXPECT_EQ(wire::parse_ack(ack.body).value().conversation, kConversation);
    EXPECT_EQ(wire::parse_ack(ack.body).value().client_msg_id, msg_id(7));
  }
}

TEST_F(EdgeGroupsTest, AChangeThatIsNotWellFormedIsRefusedHere) {
  auto ann = login("ann", "phone");
  auto body = change(MembersAction::kCreated);
  body.group = GroupId::trusted("Team");
  ann->send(Command::GroupCreate, 2, body);
  EXPECT_EQ(next_error(*ann), ErrorCode::kBadId);
  EXPECT_TRUE(published_frames().empty());
}

TEST_F(EdgeGroupsTest, AChangeOfTheMostUsersPasses) {
  std::vector<UserId> users;
  for (std::size_t i = 0; i < kMaxUsersPerChange; ++i) {
    users.push_back(UserId::trusted(std::string(61, 'u') + std::to_string(100 + i)));
  }
  auto ann = login("ann", "phone");
  ann->send(Command::GroupInvite, 2, change(MembersAction::kInvited, users));
  EXPECT_EQ(await_frame().command, Command::GroupInvite);
}

TEST_F(EdgeGroupsTest, PersistIsAskedForTheRest) {
  auto ann = login("ann", "phone");
  const auto read = bus::subject::rpc_read();
  const auto account = bus::subject::rpc_account();
  const wire::GroupInfo info{kTeam, "ben", 5};
  ann->send(Command::GroupInfo, 2, info);
  expect_asked(Command::GroupInfo, read, wire::encode(info),
               wire::encode(wire::GroupInfoPage{.group = kTeam}));
  EXPECT_EQ(next(*ann).command(), Command::GroupInfoPage);
  const wire::GroupList list{"team", 5};
  ann->send(Command::GroupList, 2, list);
  expect_asked(Command::GroupList, read, wire::encode(list), wire::encode(wire::GroupListPage{}));
  EXPECT_EQ(next(*ann).command(), Command::GroupListPage);
  ann->send(Command::Devices, 2, wire::Devices{});
  expect_asked(Command::Devices, account, wire::encode(wire::Devices{}),
               wire::encode(wire::DeviceList{}));
  EXPECT_EQ(next(*ann).command(), Command::DeviceList);
  const wire::SignOut sign_out{DeviceId::trusted("pad")};
  ann->send(Command::SignOut, 2, sign_out);
  expect_asked(Command::SignOut, account, wire::encode(sign_out), wire::encode(wire::SignedOut{1}));
  EXPECT_EQ(next(*ann).command(), Command::SignedOut);
}

TEST_F(EdgeGroupsTest, AReadCursorIsTakenFromMembersOnly) {
  persist_knows({place("ann")});
  auto ann = login("ann", "phone");
  ann->send(Command::Read, 2, wire::Read{kConversation, Seq(3)});
  EXPECT_EQ(await_frame().command, Command::Read);
  ann->send(Command::Read, 3, wire::Read{ConversationId::of_group(GroupId::trusted("x")), Seq(3)});
  EXPECT_EQ(next_error(*ann), ErrorCode::kNotMember);
}

// ---- typing ----------------------------------------------------------------------------------

TEST_F(EdgeGroupsTest, TypingIsAnsweredHereAndGoesOnSeldom) {
  auto ann = login("ann", "phone");
  const auto type = [&](const wire::Typing& typing) {
    ann->send(Command::Typing, 2, typing);
    EXPECT_EQ(next(*ann).command(), Command::TypingOk);
    return published_frames().size();
  };
  const wire::Typing to_team{{}, kTeam};
  EXPECT_EQ(type(to_team), 1u);
  EXPECT_EQ(taken_.back().subject, bus::subject::in_group(shard_of(kConversation, 16), kTeam));
  EXPECT_EQ(type(to_team), 0u);
  EXPECT_EQ(type({UserId::trusted("bob"), {}}), 1u) << "another conversation";
  EXPECT_TRUE(taken_.back().subject.ends_with(".u.bob"));
  clock_.advance(std::chrono::seconds(3));
  EXPECT_EQ(type(to_team), 1u);
  EXPECT_EQ(edge_->unanswered(), 0u) << "nobody waits for it";
}

TEST_F(EdgeGroupsTest, TypingToManyAtOnceGoesNotOn) {
  auto ann = login("ann", "phone");
  for (std::size_t i = 0; i < kMaxTypingConversations + 5; ++i) {
    ann->send(Command::Typing, 2, wire::Typing{UserId::trusted("u" + std::to_string(i)), {}});
    EXPECT_EQ(next(*ann).command(), Command::TypingOk);
  }
  EXPECT_EQ(published_frames().size(), kMaxTypingConversations);
}

// ---- events ----------------------------------------------------------------------------------

TEST_F(EdgeGroupsTest, AnEventOfTheGroupReachesItsMembersHereAndNobodyElse) {
  persist_knows({place("ann"), place("ben")});
  auto ann = login("ann", "phone");
  auto ben = login("ben", "phone");
  persist_knows({});
  auto cat = login("cat", "phone");
  EXPECT_EQ(bus_.deliver(kSubject, group_event(6, 5, wire::encode_text("hi"))), 1u)
      << "one subscription for all";
  EXPECT_EQ(next_seq(*ann), 6u);
  EXPECT_EQ(next_seq(*ben), 6u);
  settle();
  EXPECT_FALSE(cat->take().has_value());
}

TEST_F(EdgeGroupsTest, ItsOriginGetsNoEvent) {
  persist_knows({place("ann")});
  auto phone = login("ann", "phone");
  const SessionId origin = last_session_;
  auto pad = login("ann", "pad");
  bus_.deliver(kSubject, group_event(6, 5, wire::encode_text("hi"), false, origin));
  EXPECT_EQ(next_seq(*pad), 6u);
  settle();
  EXPECT_FALSE(phone->take().has_value());
}

TEST_F(EdgeGroupsTest, NobodyGetsWhatCameAfterAnUnseenRemoval) {
  persist_knows({place("ann")});
  auto ann = login("ann", "phone");
  bus_.answers[bus::subject::rpc_groups()] =
      wire::encode(wire::GroupsAnswer{.members_at = Seq(7), .memberships = {}});
  bus_.deliver(kSubject, group_event(8, 7, wire::encode_text("secret")));
  EXPECT_EQ(next(*ann).command(), Command::ResyncEvent) << "to learn that she is out";
  bus_.deliver(kSubject, group_event(9, 7, wire::encode_text("secret")));
  settle();
  EXPECT_FALSE(ann->take().has_value());
}

TEST_F(EdgeGroupsTest, AnAdditionIsDeliveredAndThenHinted) {
  persist_knows({});
  auto ann = login("ann", "phone");
  const MembersChange invited{.action = MembersAction::kInvited, .users = {UserId::trusted("ann")}};
  to_user("ann", group_event(6, 5, wire::encode(invited), true));
  EXPECT_EQ(next_seq(*ann), 6u);
  const Received hint = next(*ann);
  ASSERT_EQ(hint.command(), Command::ResyncEvent);
  EXPECT_EQ(wire::parse_resync_event(hint.body).value().conversation, kConversation);
  bus_.deliver(kSubject, group_event(7, 6, wire::encode_text("hi")));
  EXPECT_EQ(next_seq(*ann), 7u);
}

TEST_F(EdgeGroupsTest, WhoHasNoRoomForAnEventEndsAfterAllHaveIt) {
  EdgeOptions options;
  options.output_high_bytes = options.output_limit_bytes = 8 * 1024;
  start(options);
  persist_knows({place("ann"), place("ben")});
  auto ann = login("ann", "phone");
  auto ben = login("ben", "phone");
  bus_.deliver(kSubject, group_event(6, 5, wire::encode_text(std::string(9 * 1024, 'x'))));
  EXPECT_EQ(edge_->sessions(), 2u) << "not in the middle of the members";
  run_until([&] { return edge_->sessions() == 0; });
  EXPECT_EQ(next(*ann).command(), Command::KickedEvent);
  EXPECT_EQ(next(*ben).command(), Command::KickedEvent);
}

TEST_F(EdgeGroupsTest, AHintDuringASyncIsRepeatedBehindItsAnswer) {
  persist_knows({});
  auto ann = login("ann", "phone");
  ann->send(Command::Sync, 2, wire::Sync{});
  const auto asked = await_question();
  const MembersChange joined{.action = MembersAction::kInvited, .users = {UserId::trusted("ann")}};
  to_user("ann", group_event(6, 5, wire::encode(joined), true));
  EXPECT_EQ(next_seq(*ann), 6u);
  EXPECT_EQ(next(*ann).command(), Command::ResyncEvent);
  asked.callback(wire::encode(wire::ClientAnswer{
      .command = Command::Sync, .body = wire::encode(wire::SyncPage{.token = "tok"})}));
  EXPECT_EQ(next(*ann).command(), Command::SyncPage);
  EXPECT_EQ(next(*ann).command(), Command::ResyncEvent);
}

TEST_F(EdgeGroupsTest, AFetchRenewsOnlySubscriptionsOfOnesOwnGroups) {
  persist_knows({place("ann")});
  auto ann = login("ann", "phone");
  persist_knows({});
  auto eve = login("eve", "phone");
  clock_.advance(std::chrono::seconds(11));
  const auto renewals = [&](TestClient& client) {
    const wire::Fetch fetch{.ranges = {{kConversation, Seq(1), Seq(2)}}, .live_missed = 1};
    client.send(Command::Fetch, 2, fetch);
    await_question();
    const std::string text = metric_registry_.render();
    const std::size_t at = text.find("\nmartlet_edge_renewals_total ");
    return text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  };
  EXPECT_EQ(renewals(*eve), "martlet_edge_renewals_total 1") << "her own subject";
  EXPECT_EQ(renewals(*ann), "martlet_edge_renewals_total 3") << "hers and the group's";
}

TEST_F(EdgeGroupsTest, ARemovalIsDeliveredAndThenNothing) {
  persist_knows({place("ann")});
  auto ann = login("ann", "phone");
  const MembersChange removed{.action = MembersAction::kRemoved, .users = {UserId::trusted("ann")}};
  const Bytes event = group_event(6, 5, wire::encode(removed), true);
  to_user("ann", event);
  bus_.deliver(kSubject, event);
  bus_.deliver(kSubject, group_event(7, 6, wire::encode_text("secret")));
  EXPECT_EQ(next_seq(*ann), 6u);
  settle();
  EXPECT_FALSE(ann->take().has_value());
}

TEST_F(EdgeGroupsTest, WhatIsNotOfTheGroupIsDropped) {
  persist_knows({place("ann")});
  auto ann = login("ann", "phone");
  bus_.deliver(kSubject, message_event(1));
  bus_.deliver(kSubject, "garbage");
  bus_.deliver(kSubject, group_event(6, 5, wire::encode_text("no change"), true));
  settle();
  EXPECT_FALSE(ann->take().has_value());
  EXPECT_NE(metric_registry_.render().find("reason=\"malformed\"} 3\n"), std::string::npos);
}

TEST_F(EdgeGroupsTest, AnEventOfAnEarlierOwnerIsDropped) {
  persist_knows({place("ann")});
  auto ann = login("ann", "phone");
  to_user("ann", message_event(1, {}, Epoch(2)));
  EXPECT_EQ(next_seq(*ann), 1u);
  bus_.deliver(kSubject, group_event(6, 5, wire::encode_text("old")));
  settle();
  EXPECT_FALSE(ann->take().has_value());
}

// ---- SYNC ------------------------------------------------------------------------------------

TEST_F(EdgeGroupsTest, AuthDoesNotWaitForTheGroupsButSyncDoes) {
  bus_.answers.clear();
  auto ann = login("ann", "phone");
  ann->send(Command::Sync, 2, wire::Sync{});
  settle();
  ASSERT_EQ(bus_.asked.size(), 1u);
  const auto asked = await_question();
  EXPECT_EQ(asked.subject, bus::subject::rpc_groups());
  asked.callback(wire::encode(wire::GroupsAnswer{.memberships = {place("ann")}}));
  EXPECT_TRUE(bus_.has_subscription(kSubject));
  expect_asked(Command::Sync, bus::subject::rpc_read(), wire::encode(wire::Sync{}),
               wire::encode(wire::SyncPage{.token = "tok"}));
  EXPECT_EQ(next(*ann).command(), Command::SyncPage);
}

TEST_F(EdgeGroupsTest, ASyncWithoutGroupsIsRetryable) {
  bus_.answers.clear();
  auto ann = login("ann", "phone");
  await_question().callback(fail(ErrorCode::kUnavailable));
  ann->send(Command::Sync, 2, wire::Sync{});
  await_question().callback(fail(ErrorCode::kUnavailable));
  const auto refusal = next_refusal(*ann);
  EXPECT_EQ(refusal.error.code, ErrorCode::kUnavailable);
  EXPECT_GT(refusal.error.retry_after_ms, 0u);
}

TEST_F(EdgeGroupsTest, AClientThatGoesWhileItsSyncWaitsIsHarmless) {
  bus_.answers.clear();
  auto ann = login("ann", "phone");
  ann->send(Command::Sync, 2, wire::Sync{});
  settle();
  ann->close();
  run_until([&] { return edge_->connections() == 0; });
  await_question().callback(wire::encode(wire::GroupsAnswer{}));
  settle();
  EXPECT_TRUE(bus_.asked.empty());
  bool closed = false;
  edge_->close_all([&] { closed = true; });
  run_until([&] { return closed; });
}

TEST_F(EdgeGroupsTest, APageCorrectsWhatTheEdgeKnows) {
  persist_knows({});
  auto ann = login("ann", "phone");
  ann->send(Command::Sync, 2, wire::Sync{});
  const wire::SyncPage page{.conversations = {{.conversation = kConversation,
                                               .last_seq = Seq(7),
                                               .first_seq = Seq(1),
                                               .members_at = Seq(5)}},
                            .token = "tok"};
  expect_asked(Command::Sync, bus::subject::rpc_read(), wire::encode(wire::Sync{}),
               wire::encode(page));
  EXPECT_EQ(next(*ann).command(), Command::SyncPage);
  EXPECT_EQ(next(*ann).command(), Command::ResyncEvent);
  bus_.deliver(kSubject, group_event(8, 5, wire::encode_text("hi")));
  EXPECT_EQ(next_seq(*ann), 8u);
}

}  // namespace
}  // namespace martlet::edge
