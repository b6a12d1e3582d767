#include "client_fixture.h"

namespace martlet::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(ClientTest, LogsInAndSyncs) {
  go_online();
  EXPECT_THAT(events_.states, ElementsAre(State::kConnecting, State::kSigningIn, State::kOnline));
  EXPECT_EQ(store_.state().credentials.refresh_token, server_.refresh_token);
  EXPECT_EQ(store_.state().sync_token, "token");
}

TEST_F(ClientTest, SecondConnectionNeedsNoPassword) {
  go_online();
  server_.cut_all();
  run_until([&] { return client_->logins() == 2; });
  EXPECT_EQ(server_.requests[wire::Command::Login], 1);
  EXPECT_EQ(server_.requests[wire::Command::Refresh], 0);
}

TEST_F(ClientTest, ExpiredAccessTokenIsRefreshed) {
  go_online();
  server_.access_tokens_are_expired = true;
  server_.cut_all();
  run_until([&] { return client_->logins() == 2; });
  EXPECT_EQ(server_.requests[wire::Command::Refresh], 1);
  EXPECT_EQ(store_.state().credentials.refresh_token, server_.refresh_token);
}

TEST_F(ClientTest, TokenIsRenewedBeforeItRunsOut) {
  server_.expires_in_s = 1;
  go_online();
  run_until([&] { return server_.requests[wire::Command::Refresh] >= 2; });
  EXPECT_EQ(client_->logins(), 1U);
}

TEST_F(ClientTest, EdgeThatDoesNotAnswerAuthIsLeft) {
  server_.swallow_auths = true;
  client_->start();
  run_until([&] {
    return events_.states.back() == State::kConnecting && client_->logins() == 0 &&
           events_.states.size() > 2;
  });
  server_.swallow_auths = false;
  run_until([&] { return client_->logins() == 1; });
}

TEST_F(ClientTest, WrongPasswordEndsIt) {
  make_client("wrong");
  client_->start();
  run_until([&] { return events_.end.has_value(); });
  EXPECT_EQ(events_.end->code, ErrorCode::kWrongPassword);
}

TEST_F(ClientTest, WithoutPasswordOrTokensItEnds) {
  make_client("");
  client_->start();
  run_until([&] { return events_.end.has_value(); });
  EXPECT_EQ(events_.end->code, ErrorCode::kNotAuthenticated);
}

TEST_F(ClientTest, AFreshTokenOfAnotherServiceIsAskedForEachLogin) {
  int asked = 0;
  make_client(Proof{"", [&] { return "token-" + std::to_string(++asked); }});
  server_.token = "token-1";
  go_online();
  EXPECT_EQ(asked, 1);
  server_.token = "token-2";
  server_.access_tokens_are_expired = true;
  server_.refuse[wire::Command::Refresh] = Error{ErrorCode::kTokenExpired, ""};
  server_.cut_all();
  run_until([&] { return client_->logins() == 2; });
  EXPECT_EQ(asked, 2);
}

TEST_F(ClientTest, BusyLoginIsRepeated) {
  server_.refuse[wire::Command::Login] = Error{ErrorCode::kBusy, "", 10};
  go_online();
  EXPECT_EQ(server_.requests[wire::Command::Login], 2);
}

TEST_F(ClientTest, ReceivesLive) {
  go_online();
  server_.inject(user("bob"), user("alice"), "hello");
  run_until([&] { return !events_.texts.empty(); });
  EXPECT_THAT(events_.texts, ElementsAre("hello"));
  EXPECT_THAT(events_.origins, ElementsAre(Origin::kLive));
}

TEST_F(ClientTest, OwnMessageTakesItsPlace) {
  go_online();
  send("one");
  run_until([&] { return events_.texts.size() == 1; });
  server_.inject(user("bob"), user("alice"), "two");
  run_until([&] { return events_.texts.size() == 2; });
  EXPECT_THAT(events_.texts, ElementsAre("one", "two"));
  EXPECT_THAT(events_.origins, ElementsAre(Origin::kOwn, Origin::kLive));
  EXPECT_THAT(store_.state().sends, IsEmpty());
}

TEST_F(ClientTest, CatchesUpAfterBeingCutOff) {
  go_online();
  server_.go_down();
  for (int i = 1; i <= 12; ++i) {
    server_.inject(user("bob"), user("alice"), std::to_string(i));
  }
  server_.come_back();
  run_until([&] { return events_.texts.size() == 12; });
  EXPECT_EQ(events_.texts.front(), "1");
  EXPECT_EQ(events_.texts.back(), "12");
  EXPECT_EQ(server_.requests[wire::Command::Fetch], 3);
}

TEST_F(ClientTest, MessageWhoseAckWasLostIsSentAgainAndShownOnce) {
  go_online();
  server_.cut_instead_of_ack = true;
  send("one");
  run_until([&] { return events_.acks.size() == 1; });
  EXPECT_EQ(server_.requests[wire::Command::Send], 2);
  EXPECT_EQ(server_.log.begin()->second.size(), 1U);
  run_until([&] { return client_->sync().is_settled(); });
  EXPECT_THAT(events_.texts, ElementsAre("one"));
}

constexpr WallMs kServerTimeMs = 1'000'000'000'000;  // 2001: far from this machine's clock

TEST_F(ClientTest, IdsHaveTheServersTime) {
  server_.time_ms = kServerTimeMs;
  go_online();
  const auto id = client_->send(user("bob"), wire::encode_text("one"), Strength::kLogged);
  ASSERT_TRUE(id);
  EXPECT_GE(time_of(*id), kServerTimeMs);
  EXPECT_LT(time_of(*id), kServerTimeMs + 3'600'000);
}

TEST_F(ClientTest, PongCorrectsTheClock) {
  server_.heartbeat_ms = 1'000;
  go_online();
  EXPECT_GT(client_->server_time_ms(), kServerTimeMs + 3'600'000) << "its own";
  server_.time_ms = kServerTimeMs;
  run_until([&] { return client_->server_time_ms() < kServerTimeMs + 3'600'000; });
  EXPECT_EQ(client_->logins(), 1U);
}

TEST_F(ClientTest, MessagesWrittenOfflineGoOutInOrder) {
  for (const char* text : {"1", "2", "3"}) send(text);
  go_online();
  run_until([&] { return events_.texts.size() == 3; });
  EXPECT_THAT(events_.texts, ElementsAre("1", "2", "3"));
}

TEST_F(ClientTest, RetryableRefusalIsRepeated) {
  go_online();
  server_.refuse[wire::Command::Send] = Error{ErrorCode::kBusy, "", 20};
  send("one");
  run_until([&] { return events_.acks.size() == 1; });
  EXPECT_THAT(events_.refused, IsEmpty());
}

TEST_F(ClientTest, FinalRefusalIsReported) {
  go_online();
  server_.refuse[wire::Command::Send] = Error{ErrorCode::kNoSuchUser, ""};
  send("one");
  run_until([&] { return !events_.refused.empty(); });
  EXPECT_THAT(events_.refused, ElementsAre(ErrorCode::kNoSuchUser));
  EXPECT_THAT(store_.state().sends, IsEmpty());
}

TEST_F(ClientTest, StoredIsTold) {
  go_online();
  send("one", Strength::kStored);
  run_until([&] { return events_.stored.size() == 1; });
  EXPECT_EQ(events_.acks.at(0).level, Strength::kLogged);
}

TEST_F(ClientTest, BadContentIsNotQueued) {
  EXPECT_EQ(client_->send(user("bob"), "junk", Strength::kLogged).error().code,
            ErrorCode::kBadBody);
  const std::string huge(kMaxBodyBytes, 'x');
  EXPECT_EQ(client_->send(user("bob"), wire::encode_text(huge), Strength::kLogged).error().code,
            ErrorCode::kBodyTooLarge);
  EXPECT_TRUE(client_->queue().empty());
}

TEST_F(ClientTest, ReplacedSessionStaysAway) {
  go_online();
  server_.send_event(user("alice"), wire::Command::KickedEvent,
                     wire::encode(wire::KickedEvent{wire::KickReason::Replaced, false}));
  run_until([&] { return events_.kicks == 1; });
  server_.cut_all();
  run_until([&] { return events_.end.has_value(); });
  EXPECT_EQ(client_->logins(), 1U);
}

// An edge that was slow made a session of the AUTH that was given up, and it counts as the newer
// one.
TEST_F(ClientTest, ReplacedByAnUnsettledSignInItComesBackOnce) {
  server_.swallow_auths = true;
  client_->start();
  run_until([&] { return server_.requests[wire::Command::Auth] >= 1; });
  server_.swallow_auths = false;
  server_.cut_all();
  run_until([&] { return client_->logins() == 1; });
  const auto replace = [&](int kicks) {
    server_.send_event(user("alice"), wire::Command::KickedEvent,
                       wire::encode(wire::KickedEvent{wire::KickReason::Replaced, false}));
    run_until([&] { return events_.kicks == kicks; });
    server_.cut_all();
  };
  replace(1);
  run_until([&] { return client_->logins() == 2; });
  replace(2);
  run_until([&] { return events_.end.has_value(); });
  EXPECT_EQ(client_->logins(), 2U);
}

TEST_F(ClientTest, AnAuthThatWasRefusedWasNotGivenUp) {
  server_.refuse[wire::Command::Auth] = Error{ErrorCode::kBusy, "", 10};
  go_online();
  EXPECT_EQ(server_.requests[wire::Command::Auth], 2);
  server_.send_event(user("alice"), wire::Command::KickedEvent,
                     wire::encode(wire::KickedEvent{wire::KickReason::Replaced, false}));
  run_until([&] { return events_.kicks == 1; });
  server_.cut_all();
  run_until([&] { return events_.end.has_value(); });
}

TEST_F(ClientTest, SlowConsumerComesBack) {
  go_online();
  server_.send_event(user("alice"), wire::Command::KickedEvent,
                     wire::encode(wire::KickedEvent{wire::KickReason::SlowConsumer, true}));
  run_until([&] { return events_.kicks == 1; });
  server_.cut_all();
  run_until([&] { return client_->logins() == 2; });
}

TEST_F(ClientTest, WaitsAsLongAsAnEdgeWithoutRoomSays) {
  go_online();
  const Error error{ErrorCode::kRateLimited, "too many", 1'000};
  server_.send_event(user("alice"), wire::Command::Error,
                     wire::encode(wire::Refusal{.error = error}));
  send("comes after the error");
  run_until([&] { return !events_.acks.empty(); });
  const MonotonicTime begin = loop_.now();
  server_.cut_all();
  run_until([&] { return client_->logins() == 2; });
  EXPECT_GE(loop_.now() - begin, std::chrono::milliseconds(1'000));
}

TEST_F(ClientTest, MovesWhereTheEdgeSays) {
  go_online();
  FakeServer other(loop_);
  const std::string to = other.address().str();
  server_.send_event(user("alice"), wire::Command::ReconnectEvent,
                     wire::encode(wire::ReconnectEvent{to, 0}));
  run_until([&] { return other.sessions() == 1; });
  EXPECT_EQ(client_->logins(), 2U);
}

TEST_F(ClientTest, ResyncFindsWhatLiveLost) {
  go_online();
  run_until([&] { return events_.synced == 2; });
  server_.lose_events = true;
  server_.inject(user("bob"), user("alice"), "lost");
  server_.send_event(user("alice"), wire::Command::ResyncEvent,
                     wire::encode(wire::ResyncEvent{0, {}}));
  run_until([&] { return events_.texts.size() == 1; });
  EXPECT_EQ(client_->sync().counters().live_missed, 1U);
}

TEST_F(ClientTest, SilentServerIsLeft) {
  server_.heartbeat_ms = 1'000;
  go_online();
  server_.mute = true;
  run_until([&] { return events_.states.back() == State::kConnecting; });
  server_.mute = false;
  run_until([&] { return client_->logins() == 2; });
}

TEST_F(ClientTest, ReadIsTakenOnce) {
  go_online();
  server_.refuse[wire::Command::Read] = Error{ErrorCode::kUnavailable, ""};
  client_->mark_read(conversation(), Seq(3));
  client_->mark_read(conversation(), Seq(2));
  run_until([&] { return !events_.reads.empty(); });
  EXPECT_EQ(server_.reads[conversation()], Seq(3));
}

TEST_F(ClientTest, HistoryWaitsForTheConnection) {
  server_.inject(user("bob"), user("alice"), "old");
  std::vector<std::string> texts;
  client_->start();
  client_->history({conversation(), Seq(0)}, [&](const Result<HistoryAnswer>& answer) {
    ASSERT_TRUE(answer);
    for (const Message& m : answer->messages) texts.push_back(text_of(m.content));
  });
  run_until([&] { return !texts.empty(); });
  EXPECT_THAT(texts, ElementsAre("old"));
}

TEST_F(ClientTest, HistoryIsAskedAgainWhenTheConnectionWasLost) {
  server_.inject(user("bob"), user("alice"), "old");
  go_online();
  server_.cut_instead_of_history = true;
  std::optional<Result<HistoryAnswer>> got;
  client_->history({conversation(), Seq(0)},
                   [&](Result<HistoryAnswer> answer) { got = std::move(answer); });
  run_until([&] { return got.has_value(); });
  ASSERT_TRUE(*got) << got->error().detail;
  EXPECT_EQ((*got)->messages.size(), 1U);
  EXPECT_EQ(client_->logins(), 2U);
  EXPECT_EQ(server_.requests[wire::Command::History], 2);
}

TEST_F(ClientTest, AHistoryTellsThatTheDatabaseIsBehind) {
  go_online();
  server_.history_is_behind = true;
  std::optional<Result<HistoryAnswer>> got;
  client_->history({conversation(), Seq(0)},
                   [&](Result<HistoryAnswer> answer) { got = std::move(answer); });
  run_until([&] { return got.has_value(); });
  ASSERT_TRUE(*got);
  EXPECT_EQ((*got)->again_in, std::chrono::milliseconds(20));
}

TEST_F(ClientTest, TheEndAnswersAHistoryThatIsUnderWay) {
  go_online();
  server_.mute = true;
  std::optional<Error> why;
  client_->history({conversation(), Seq(0)}, [&](const Result<HistoryAnswer>& answer) {
    ASSERT_FALSE(answer);
    why = answer.error();
  });
  client_->stop();
  run_until([&] { return why.has_value(); });
}

TEST_F(ClientTest, StopSaysGoodbye) {
  go_online();
  client_->stop();
  run_until([&] { return events_.end.has_value(); });
  EXPECT_EQ(events_.end->code, ErrorCode::kNone);
  EXPECT_EQ(server_.requests[wire::Command::Goodbye], 1);
}

TEST_F(ClientTest, RestartFromTheStoreSendsWhatWasNotAnswered) {
  go_online();
  server_.swallow_sends = true;
  send("one");
  client_.reset();
  server_.swallow_sends = false;
  make_client("");
  client_->start();
  run_until([&] { return events_.acks.size() == 1; });
  EXPECT_EQ(server_.log.begin()->second.size(), 1U);
}

}  // namespace
}  // namespace martlet::client
