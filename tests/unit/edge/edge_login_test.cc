#include "edge_fixture.h"

namespace martlet::edge {
namespace {

using std::chrono::seconds;
using wire::Command;
using wire::KickReason;

TEST_F(EdgeTest, AuthListensToTheUserBeforeItAnswers) {
  bus_.hold_pongs = true;
  auto client = connect();
  client->send(Command::Auth, 1, wire::Auth{"ann/phone", ""});
  run_until([&] { return !bus_.pongs.empty(); });
  EXPECT_TRUE(bus_.has_subscription(bus::subject::user(UserId::trusted("ann"))));
  EXPECT_FALSE(client->take().has_value());
  bus_.pongs.front()({});
  EXPECT_EQ(next(*client).command(), Command::AuthOk);
}

// An edge that stood still: the device may have begun another session elsewhere meanwhile.
TEST_F(EdgeTest, ASessionIsAsOldAsItsAuth) {
  bus_.hold_pongs = true;
  auto client = connect();
  client->send(Command::Auth, 1, wire::Auth{"ann/phone", ""});
  run_until([&] { return !bus_.pongs.empty(); });
  const WallMs asked = clock_.wall_ms();
  clock_.advance(seconds(5));
  bus_.pongs.front()({});
  const auto ok = wire::parse_auth_ok(next(*client).body).value();
  EXPECT_LE(ok.session.time_ms, asked);
}

TEST_F(EdgeTest, AuthOkTellsTheLimits) {
  auto client = connect();
  client->send(Command::Auth, 9, wire::Auth{"ann/phone", ""});
  const Received answer = next(*client);
  EXPECT_EQ(answer.header.request_id, 9u);
  const auto ok = wire::parse_auth_ok(answer.body).value();
  EXPECT_EQ(ok.user.str(), "ann");
  EXPECT_EQ(ok.device.str(), "phone");
  EXPECT_EQ(ok.heartbeat_ms, 30'000u);
  EXPECT_EQ(ok.max_unanswered, 64u);
  EXPECT_EQ(ok.expires_in_s, 3600u);
}

TEST_F(EdgeTest, ASessionIsToldToOthersAndToTheDirectory) {
  auto client = login("ann", "phone");
  const auto told = bus_.take("im.u.ann");
  ASSERT_EQ(told.size(), 1u);
  const auto message = wire::parse_to_user(told[0].payload).value();
  EXPECT_EQ(std::get<wire::SessionStarted>(message).session, last_session_);
  ASSERT_EQ(registry_.live.size(), 1u);
  EXPECT_EQ(registry_.live.begin()->second.device.str(), "phone");
}

TEST_F(EdgeTest, ABadTokenIsRefusedAndTheConnectionLives) {
  auto client = connect();
  client->send(Command::Auth, 1, wire::Auth{"nonsense", ""});
  EXPECT_EQ(next_error(*client), ErrorCode::kTokenInvalid);
  client->send(Command::Ping, 2, wire::Ping{});
  EXPECT_EQ(next(*client).command(), Command::Pong);
}

TEST_F(EdgeTest, ABrokerThatDoesNotAnswerMakesAuthRetryable) {
  bus_.hold_pongs = true;
  auto client = connect();
  client->send(Command::Auth, 1, wire::Auth{"ann/phone", ""});
  run_until([&] { return !bus_.pongs.empty(); });
  bus_.pongs.front()(fail(ErrorCode::kTimeout));
  const auto refusal = next_refusal(*client);
  EXPECT_EQ(refusal.error.code, ErrorCode::kUnavailable);
  EXPECT_TRUE(refusal.retryable);
  bus_.hold_pongs = false;
  client->send(Command::Auth, 2, wire::Auth{"ann/phone", ""});
  EXPECT_EQ(next(*client).command(), Command::AuthOk);
}

TEST_F(EdgeTest, AuthAgainRenewsTheSameSession) {
  auto client = login("ann", "phone");
  const SessionId before = last_session_;
  clock_.advance(seconds(100));
  expires_ms_ += 7'200'000;
  client->send(Command::Auth, 2, wire::Auth{"ann/phone", ""});
  const auto ok = wire::parse_auth_ok(next(*client).body);
  ASSERT_TRUE(ok.has_value());
  EXPECT_EQ(ok->session, before);
  EXPECT_EQ(ok->expires_in_s, 3600u + 7200u - 100u);
}

TEST_F(EdgeTest, AuthAsSomebodyElseIsRefused) {
  auto client = login("ann", "phone");
  client->send(Command::Auth, 2, wire::Auth{"bob/phone", ""});
  EXPECT_EQ(next_error(*client), ErrorCode::kAlreadyAuthenticated);
}

TEST_F(EdgeTest, TheSameDeviceReplacesItsOlderSession) {
  auto older = login("ann", "phone");
  auto other = login("ann", "pad");
  auto newer = login("ann", "phone");
  const Received kicked = next(*older);
  ASSERT_EQ(kicked.command(), Command::KickedEvent);
  const auto event = wire::parse_kicked_event(kicked.body).value();
  EXPECT_EQ(event.reason, KickReason::Replaced);
  EXPECT_FALSE(event.may_reconnect);
  run_until([&] { return older->is_closed(); });
  EXPECT_FALSE(newer->is_closed());
  EXPECT_FALSE(other->is_closed());
}

class SessionOrderTest : public EdgeTest {
 protected:
  void SetUp() override {
    EdgeTest::SetUp();
    client_ = login("ann", "phone");
    bus_.take("im.u.");
  }
  // So many milliseconds after ours, by the clock of its edge.
  SessionId other(int later_ms) const {
    return {last_session_.time_ms + WallMs(later_ms), last_session_.random};
  }
  void hear(const SessionId& session, const SessionId& answers = {}, const SessionId& after = {}) {
    to_user("ann", wire::encode(
                       wire::SessionStarted{DeviceId::trusted("phone"), session, answers, after}));
  }
  // What we say of our session.
  wire::SessionStarted said() {
    taken_ = bus_.take("im.u.ann");
    EXPECT_EQ(taken_.size(), 1u);
    if (taken_.empty()) return {};
    const auto message = wire::parse_to_user(taken_[0].payload).value();
    EXPECT_EQ(std::get<wire::SessionStarted>(message).session, last_session_);
    return std::get<wire::SessionStarted>(message);
  }

  std::unique_ptr<TestClient> client_;
};

TEST_F(SessionOrderTest, AGreaterOneElsewhereEndsOurs) {
  hear(other(1));
  EXPECT_EQ(next(*client_).command(), Command::KickedEvent);
  settle();
  EXPECT_TRUE(registry_.live.empty());
}

TEST_F(SessionOrderTest, ASmallerOneElsewhereIsToldAboutOurs) {
  hear(other(-1));
  const auto told = said();
  EXPECT_EQ(told.answers, other(-1));
  EXPECT_EQ(told.after, SessionId());
  EXPECT_FALSE(client_->is_closed());
}

TEST_F(SessionOrderTest, AGreaterOneThatWasThereBeforeIsToldToEnd) {
  hear(other(500), last_session_);
  const auto told = said();
  EXPECT_EQ(told.after, other(500));
  EXPECT_EQ(told.answers, SessionId());
  EXPECT_FALSE(client_->is_closed());
}

TEST_F(SessionOrderTest, ASmallerOneThatBeganAfterOursEndsIt) {
  hear(other(-500), {}, last_session_);
  EXPECT_EQ(next(*client_).command(), Command::KickedEvent);
  EXPECT_TRUE(bus_.take("im.u.ann").empty());
}

// What one session says to another is nothing to a third.
TEST_F(SessionOrderTest, WhatIsSaidToAThirdChangesNothing) {
  for (const int sooner_or_later : {-500, 500}) {
    hear(other(sooner_or_later), other(-1));
    hear(other(sooner_or_later), {}, other(-1));
  }
  settle();
  EXPECT_TRUE(bus_.take("im.u.ann").empty());
  EXPECT_FALSE(client_->is_closed());
  EXPECT_EQ(registry_.live.size(), 1u);
}

// The device was here, went, and is here again; an edge that is ahead and stood still meanwhile
// answers both beginnings.
TEST_F(SessionOrderTest, OfTwoHereTheLaterOneEndsTheOneThatAnswers) {
  const SessionId first = last_session_;
  const auto again = login("ann", "phone");
  bus_.take("im.u.");
  hear(other(500), first);
  hear(other(500), last_session_);
  EXPECT_EQ(said().after, other(500));
  EXPECT_FALSE(again->is_closed());
}

TEST_F(EdgeTest, ARevokedDeviceIsKicked) {
  auto client = login("ann", "phone");
  auto other = login("ann", "pad");
  to_user("ann", wire::encode(wire::KickDevice{DeviceId::trusted("phone"), KickReason::Revoked}));
  const auto event = wire::parse_kicked_event(next(*client).body).value();
  EXPECT_EQ(event.reason, KickReason::Revoked);
  EXPECT_FALSE(event.may_reconnect);
  settle();
  EXPECT_FALSE(other->is_closed());
}

TEST_F(EdgeTest, AKickWithoutADeviceEndsAllSessionsOfTheUser) {
  auto phone = login("ann", "phone");
  auto pad = login("ann", "pad");
  auto other = login("ben", "phone");
  to_user("ann", wire::encode(wire::KickDevice{{}, KickReason::ByAdmin}));
  for (TestClient* client : {phone.get(), pad.get()}) {
    const auto event = wire::parse_kicked_event(next(*client).body).value();
    EXPECT_EQ(event.reason, KickReason::ByAdmin);
    EXPECT_TRUE(event.may_reconnect);
  }
  settle();
  EXPECT_FALSE(other->is_closed());
}

TEST_F(EdgeTest, ADrainByCommandStopsTheProcess) {
  to_edge(wire::encode(wire::DrainEdge{"ann"}));
  EXPECT_EQ(stopped_by_, "drained by ann");
}

TEST_F(EdgeTest, ADeviceThatWasSignedOutHasNoSession) {
  bus_.hold_device_checks = true;
  auto phone = connect();
  phone->send(wire::Command::Auth, 1, wire::Auth{"ann/phone", "test"});
  phone->send(wire::Command::Send, 2, send_to("bob", msg_id(1), wire::encode_text("hi")));
  run_until([&] { return !bus_.asked.empty(); });
  const FakeBus::Asked question = bus_.asked.front();
  EXPECT_EQ(question.subject, bus::subject::rpc_account());
  EXPECT_EQ(wire::parse_client_request(question.payload)->device, DeviceId::trusted("phone"));
  question.callback(wire::encode(wire::ClientAnswer{
      .command = wire::Command::Auth, .error = {ErrorCode::kTokenRevoked, ""}, .body = {}}));
  EXPECT_EQ(next_error(*phone), ErrorCode::kTokenRevoked);
  EXPECT_EQ(next_error(*phone), ErrorCode::kNotAuthenticated) << "what it sent right behind";
  EXPECT_TRUE(published_frames().empty());
  pass(std::chrono::seconds(20));
  EXPECT_FALSE(bus_.has_subscription(bus::subject::user(UserId::trusted("ann"))));
}

TEST_F(EdgeTest, AKickMeetsASessionThatIsJustBeginning) {
  bus_.hold_device_checks = true;
  const DeviceId nobody;
  for (const DeviceId& named : {DeviceId::trusted("phone"), nobody}) {
    auto phone = connect();
    phone->send(wire::Command::Auth, 1, wire::Auth{"ann/phone", "test"});
    run_until([&] { return !bus_.asked.empty(); });
    to_user("ann", wire::encode(wire::KickDevice{DeviceId::trusted("pad"), KickReason::Revoked}));
    to_user("ann", wire::encode(wire::KickDevice{named, KickReason::Revoked}));
    // It was asked before the device was signed out.
    bus_.asked.front().callback(
        wire::encode(wire::ClientAnswer{.command = wire::Command::Auth, .error = {}, .body = {}}));
    bus_.asked.clear();
    const auto event = wire::parse_kicked_event(next(*phone).body).value();
    EXPECT_EQ(event.reason, KickReason::Revoked);
    run_until([&] { return edge_->connections() == 0; });
    EXPECT_TRUE(phone->is_closed());
  }
}

TEST_F(EdgeTest, ATokenAloneCountsWhilePersistDoesNotAnswer) {
  bus_.hold_device_checks = true;
  const std::vector<Result<Bytes>> replies{
      fail(ErrorCode::kTimeout),
      wire::encode(wire::ClientAnswer{
          .command = wire::Command::Auth, .error = {ErrorCode::kUnavailable, ""}, .body = {}})};
  for (const Result<Bytes>& reply : replies) {
    auto phone = connect();
    phone->send(wire::Command::Auth, 1, wire::Auth{"ann/phone", "test"});
    run_until([&] { return !bus_.asked.empty(); });
    bus_.asked.front().callback(reply);
    EXPECT_EQ(next(*phone).command(), wire::Command::AuthOk);
    bus_.asked.clear();
  }
}

TEST_F(EdgeTest, TheSubjectStaysForAWhileAfterTheLastSessionLeft) {
  const std::string subject = bus::subject::user(UserId::trusted("ann"));
  auto one = login("ann", "phone");
  auto two = login("ann", "pad");
  one->close();
  two->close();
  run_until([&] { return edge_->connections() == 0; });
  pass(seconds(8));
  EXPECT_TRUE(bus_.has_subscription(subject));
  pass(seconds(4));
  EXPECT_FALSE(bus_.has_subscription(subject));
}

TEST_F(EdgeTest, AReturnWithinThatTimeKeepsTheSubject) {
  const std::string subject = bus::subject::user(UserId::trusted("ann"));
  auto client = login("ann", "phone");
  client->close();
  run_until([&] { return edge_->connections() == 0; });
  pass(seconds(5));
  client = login("ann", "phone");
  pass(seconds(20));
  EXPECT_TRUE(bus_.has_subscription(subject));
}

TEST_F(EdgeTest, AClientThatLeavesDuringAuthIsForgotten) {
  bus_.hold_pongs = true;
  auto client = connect();
  client->send(Command::Auth, 1, wire::Auth{"ann/phone", ""});
  run_until([&] { return !bus_.pongs.empty(); });
  client->close();
  run_until([&] { return edge_->connections() == 0; });
  bus_.pongs.front()({});
  EXPECT_TRUE(registry_.live.empty());
  pass(seconds(12));
  EXPECT_FALSE(bus_.has_subscription(bus::subject::user(UserId::trusted("ann"))));
}

TEST_F(EdgeTest, WithoutAuthTheConnectionEnds) {
  auto client = connect();
  pass(seconds(11));
  EXPECT_EQ(next_error(*client), ErrorCode::kNotAuthenticated);
  run_until([&] { return client->is_closed(); });
}

TEST_F(EdgeTest, ATokenThatRanOutEndsTheSessionAfterTheGracePeriod) {
  EdgeOptions options;
  options.session.heartbeat = seconds(600);
  start(options);
  expires_ms_ = clock_.wall_ms() + 30'000;
  auto client = login("ann", "phone");
  pass(seconds(85));
  EXPECT_FALSE(client->take().has_value());
  pass(seconds(6));
  EXPECT_EQ(next_error(*client), ErrorCode::kTokenExpired);
  const auto kicked = wire::parse_kicked_event(next(*client).body).value();
  EXPECT_EQ(kicked.reason, KickReason::TokenExpired);
  EXPECT_TRUE(kicked.may_reconnect);
  run_until([&] { return client->is_closed(); });
}

TEST_F(EdgeTest, ASilentClientIsClosed) {
  auto client = login("ann", "phone");
  pass(seconds(29));
  EXPECT_FALSE(client->is_closed());
  pass(seconds(2));
  run_until([&] { return client->is_closed(); });
}

TEST_F(EdgeTest, GoodbyeIsAnsweredThenClosed) {
  auto client = login("ann", "phone");
  client->send(Command::Goodbye, 5, wire::Goodbye{});
  EXPECT_EQ(next(*client).command(), Command::GoodbyeOk);
  run_until([&] { return client->is_closed(); });
  EXPECT_TRUE(registry_.live.empty());
}

TEST_F(EdgeTest, MoreConnectionsThanTheLimitAreRefused) {
  EdgeOptions options;
  options.door.max_connections = 1;
  start(options);
  auto one = login("ann", "phone");
  auto two = connect();
  EXPECT_EQ(next_error(*two), ErrorCode::kBusy);
  run_until([&] { return two->is_closed(); });
}

}  // namespace
}  // namespace martlet::edge
