// The client in groups, against a fake server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_rig.h"

namespace martlet::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const GroupId kTeam = GroupId::trusted("team");
const ConversationId kConversation = ConversationId::of_group(kTeam);

// The text of a message, or the number of its change of members.
std::string text_of(BytesView content) {
  if (const auto parsed = wire::parse_content(content)) return std::string(parsed->text);
  const auto change = wire::parse_members_change(content);
  return change ? "#" + std::to_string(static_cast<int>(change->action)) : "?";
}

struct Recorder final : ClientListener {
  void on_message(const Message& m, Origin) override { texts.push_back(text_of(m.content)); }
  void on_acked(const SendQueue::Acked& acked) override { acks.push_back(acked.ack); }
  void on_refused(const SendQueue::Refused& one) override { refused.push_back(one.error.code); }
  void on_changed(const GroupChanges::Done& done) override { changes.push_back(done); }
  void on_change_refused(const GroupChanges::Refused& one) override {
    refused.push_back(one.error.code);
  }
  void on_typing(const wire::TypingEvent& event) override { typing.push_back(event); }
  void on_news(const ConversationNews& one) override { news[one.conversation] = one; }
  void on_synced(bool) override { ++synced; }

  std::vector<std::string> texts;
  std::vector<Acknowledged> acks;
  std::vector<ErrorCode> refused;
  std::vector<GroupChanges::Done> changes;
  std::vector<wire::TypingEvent> typing;
  std::map<ConversationId, ConversationNews> news;
  int synced = 0;
};

class ClientGroupsTest : public ClientRig<Recorder> {
 protected:
  void run_until_texts(std::size_t count) {
    run_until([&] { return events_.texts.size() == count; });
  }
  void ask(MembersAction action, std::vector<UserId> users = {}, GroupRole role = {}) {
    EXPECT_TRUE(client_->change_group(kTeam, {action, std::move(users), role, "", {}, {}}));
  }
  void send(std::string_view text) {
    EXPECT_TRUE(client_->send(kConversation, wire::encode_text(text), Strength::kLogged));
  }
  // bob's group, with alice in it.
  void invite_alice() {
    server_.change(user("bob"), kTeam, {MembersAction::kCreated, {}, {}, "", {}, {}});
    server_.inject(user("bob"), kConversation, "before");
    server_.change(user("bob"), kTeam, {MembersAction::kInvited, {user("alice")}, {}, "", {}, {}});
  }
};

TEST_F(ClientGroupsTest, CreatesAGroupAndWritesToIt) {
  go_online();
  ask(MembersAction::kCreated, {user("bob")});
  run_until([&] { return events_.changes.size() == 1; });
  EXPECT_EQ(events_.changes[0].ack.seq, Seq(1));
  send("hello");
  run_until_texts(2);
  EXPECT_THAT(events_.texts, ElementsAre("#1", "hello"));
  EXPECT_EQ(server_.groups[kTeam].role_of(user("bob")), GroupRole::kMember);
  EXPECT_THAT(store_.state().changes, IsEmpty());
}

TEST_F(ClientGroupsTest, OwnChangeIsShownWithTheBytesOfTheServer) {
  go_online();
  ask(MembersAction::kCreated, {user("bob")});
  run_until_texts(1);
  std::vector<Message> stored;
  client_->history({kConversation, Seq(0)},
                   [&](Result<HistoryAnswer> answer) { stored = answer->messages; });
  run_until([&] { return !stored.empty(); });
  EXPECT_EQ(stored[0].content, wire::encode(events_.changes[0].change.change));
}

TEST_F(ClientGroupsTest, WhoIsInvitedSeesWhatComesFromThen) {
  go_online();
  invite_alice();
  server_.inject(user("bob"), kConversation, "welcome");
  run_until_texts(2);
  EXPECT_THAT(events_.texts, ElementsAre("#2", "welcome"));
}

TEST_F(ClientGroupsTest, ANewDeviceBeginsWhereTheUserJoined) {
  invite_alice();
  server_.inject(user("bob"), kConversation, "welcome");
  go_online();
  run_until_texts(2);
  EXPECT_THAT(events_.texts, ElementsAre("#2", "welcome"));
}

TEST_F(ClientGroupsTest, ChangeWhoseAckWasLostIsDoneOnce) {
  go_online();
  server_.cut_instead_of_change = true;
  ask(MembersAction::kCreated);
  run_until([&] { return events_.changes.size() == 1; });
  EXPECT_EQ(server_.requests[wire::Command::GroupCreate], 2);
  EXPECT_THAT(server_.log[kConversation], SizeIs(1));
  run_until([&] { return client_->sync().is_settled(); });
  EXPECT_THAT(events_.texts, ElementsAre("#1"));
}

TEST_F(ClientGroupsTest, RetryableRefusalOfAChangeIsRepeated) {
  go_online();
  server_.refuse[wire::Command::GroupCreate] = Error{ErrorCode::kBusy, "", 10};
  ask(MembersAction::kCreated);
  run_until([&] { return events_.changes.size() == 1; });
  EXPECT_THAT(events_.refused, IsEmpty());
}

TEST_F(ClientGroupsTest, FinalRefusalOfAChangeIsReported) {
  go_online();
  ask(MembersAction::kLeft);
  run_until([&] { return !events_.refused.empty(); });
  EXPECT_THAT(events_.refused, ElementsAre(ErrorCode::kNoSuchGroup));
  EXPECT_THAT(store_.state().changes, IsEmpty());
}

TEST_F(ClientGroupsTest, ChangeOutlivesARestart) {
  ask(MembersAction::kCreated);
  EXPECT_THAT(store_.state().changes, SizeIs(1));
  client_.reset();
  make_client("password");
  client_->start();
  run_until([&] { return events_.changes.size() == 1; });
  EXPECT_THAT(store_.state().changes, IsEmpty());
}

TEST_F(ClientGroupsTest, BadChangesAreNotQueued) {
  const auto code_of = [&](const MembersChange& change) {
    const auto queued = client_->change_group(kTeam, change);
    return queued ? ErrorCode::kNone : queued.error().code;
  };
  EXPECT_EQ(code_of({.action = MembersAction::kInvited}), ErrorCode::kBadBody);
  EXPECT_EQ(code_of({.action = MembersAction::kRoleSet}), ErrorCode::kBadBody);
  EXPECT_EQ(code_of({.action = MembersAction::kRoleSet, .users = {user("bob")}}),
            ErrorCode::kBadBody);
  EXPECT_EQ(code_of({.action = MembersAction::kInvited,
                     .users = std::vector<UserId>(kMaxUsersPerChange + 1, user("bob"))}),
            ErrorCode::kBadRange);
  EXPECT_EQ(client_->change_group({}, {}).error().code, ErrorCode::kBadId);
  EXPECT_EQ(client_->change_group(GroupId::trusted("Team"), {.action = MembersAction::kCreated})
                .error()
                .code,
            ErrorCode::kBadId);
  EXPECT_TRUE(client_->changes().empty());
}

TEST_F(ClientGroupsTest, FormerMemberIsSettledAndRefused) {
  invite_alice();
  go_online();
  run_until_texts(1);
  server_.lose_events = true;
  server_.change(user("bob"), kTeam, {MembersAction::kRemoved, {user("alice")}, {}, "", {}, {}});
  server_.inject(user("bob"), kConversation, "secret");
  server_.lose_events = false;
  client_->sync_now();
  run_until_texts(2);
  EXPECT_THAT(events_.texts, ElementsAre("#2", "#5"));
  EXPECT_TRUE(events_.news[kConversation].former);
  run_until([&] { return client_->sync().is_settled(); });
  send("still here");
  run_until([&] { return !events_.refused.empty(); });
  EXPECT_THAT(events_.refused, ElementsAre(ErrorCode::kNotMember));
}

TEST_F(ClientGroupsTest, OthersConversationsAreNotWrittenTo) {
  const auto queued = client_->send(ConversationId::between(user("bob"), user("carol")),
                                    wire::encode_text("hi"), Strength::kLogged);
  EXPECT_EQ(queued.error().code, ErrorCode::kNotMember);
}

TEST_F(ClientGroupsTest, TypingIsToldAndReceived) {
  client_->tell_typing(kConversation);
  EXPECT_EQ(server_.requests[wire::Command::Typing], 0) << "offline";
  go_online();
  client_->tell_typing(conversation());
  run_until([&] { return server_.requests[wire::Command::Typing] == 1; });
  server_.send_event(user("alice"), wire::Command::TypingEvent,
                     wire::encode(wire::TypingEvent{conversation(), user("bob")}));
  run_until([&] { return events_.typing.size() == 1; });
  EXPECT_EQ(events_.typing[0].user, user("bob"));
}

TEST_F(ClientGroupsTest, QuestionsAreAnswered) {
  invite_alice();
  std::vector<std::string> answers;
  client_->group_info({kTeam, "", 0}, [&](const Result<wire::GroupInfoPage>& page) {
    for (const wire::GroupMember& member : page->members) answers.push_back(member.user.str());
  });
  client_->group_list({}, [&](const Result<wire::GroupListPage>& page) {
    for (const wire::GroupSummary& one : page->groups) answers.push_back(one.group.str());
  });
  client_->devices([&](const Result<wire::DeviceList>& list) {
    for (const wire::Device& one : list->devices) answers.push_back(one.device.str());
  });
  client_->sign_out({}, [&](const Result<wire::SignedOut>& done) {
    answers.push_back(std::to_string(done->devices));
  });
  client_->start();
  run_until([&] { return answers.size() == 5; });
  EXPECT_THAT(answers, ElementsAre("alice", "bob", "team", "phone", "2"));
}

}  // namespace
}  // namespace martlet::client
