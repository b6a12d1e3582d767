#include "edge_fixture.h"
#include "wire/requests.h"

// Clients that are too many or too fast, on an edge whose clock stands still until it is told.
namespace martlet::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::Command;

class EdgeLimitsTest : public EdgeTest {
 protected:
  static void ping(TestClient& client, std::uint32_t first, std::uint32_t count) {
    Bytes frames;
    for (std::uint32_t id = first; id < first + count; ++id) {
      frames += wire::encode_frame({.command = std::uint16_t(Command::Ping), .request_id = id},
                                   wire::encode(wire::Ping{}));
    }
    client.write(frames);
  }
  // How many answers come while the clock stands; they are in order.
  std::uint32_t answers(TestClient& client) {
    settle(20);
    std::uint32_t count = 0;
    while (const auto received = client.take()) {
      EXPECT_EQ(received->header.request_id, ++last_answer_);
      ++count;
    }
    return count;
  }
  void expect_pong(TestClient& client) {
    client.send(Command::Ping, 99, wire::Ping{});
    EXPECT_EQ(next(client).command(), Command::Pong);
  }
  std::string metrics() { return metric_registry_.render(); }

  std::uint32_t last_answer_ = 100;
};

TEST_F(EdgeLimitsTest, FramesThatComeTooFastAreReadLaterAndInOrder) {
  EdgeOptions options;
  options.frames.connection = {10, 50};
  start(options);
  auto fast = login("ann", "phone");
  auto neighbour = login("bob", "phone");
  ping(*fast, 101, 100);
  EXPECT_EQ(answers(*fast), 50u);
  expect_pong(*neighbour);
  EXPECT_NE(metrics().find("martlet_edge_throttled 1\n"), std::string::npos);
  pass(milliseconds(1050));
  EXPECT_EQ(answers(*fast), 10u);
  pass(seconds(100));
  EXPECT_EQ(answers(*fast), 40u) << "nothing was lost or refused";
  EXPECT_NE(metrics().find("martlet_edge_throttled 0\n"), std::string::npos);
}

TEST_F(EdgeLimitsTest, ASocketThatIsNotReadIsNotClosedForSilence) {
  EdgeOptions options;
  options.frames.connection = {1, 10};
  options.frames.user = {};
  options.session.heartbeat = seconds(30);
  start(options);
  auto fast = login("ann", "phone");
  ping(*fast, 101, 50);
  std::uint32_t count = answers(*fast);
  for (int i = 0; i < 4; ++i) {
    pass(seconds(9));
    count += answers(*fast);
    EXPECT_FALSE(fast->is_closed());
  }
  EXPECT_GE(count, 40u);
}

TEST_F(EdgeLimitsTest, TheConnectionsOfAUserShareARate) {
  EdgeOptions options;
  options.frames.user = {10, 30};
  start(options);
  auto phone = login("ann", "phone");
  auto laptop = login("ann", "laptop");
  auto neighbour = login("bob", "phone");
  ping(*phone, 101, 30);
  EXPECT_EQ(answers(*phone), 30u);
  last_answer_ = 100;
  ping(*laptop, 101, 10);
  EXPECT_EQ(answers(*laptop), 0u);
  expect_pong(*neighbour);
  pass(milliseconds(1050));
  EXPECT_EQ(answers(*laptop), 10u);
}

TEST_F(EdgeLimitsTest, AConnectionMayEndWhileItIsThrottled) {
  EdgeOptions options;
  options.frames.connection = {1, 5};
  start(options);
  auto fast = login("ann", "phone");
  ping(*fast, 101, 20);
  answers(*fast);
  fast->close();
  pass(seconds(60));
  run_until([&] {
    clock_.advance(seconds(1));
    return edge_->connections() == 0;
  });
  EXPECT_NE(metrics().find("martlet_edge_throttled 0\n"), std::string::npos);
}

TEST_F(EdgeLimitsTest, AStrangerIsSlow) {
  auto stranger = connect();
  ping(*stranger, 101, 200);
  EXPECT_EQ(answers(*stranger), kStrangerFramesBurst);
}

TEST_F(EdgeLimitsTest, AStrangersBodyIsSmall) {
  auto stranger = connect();
  stranger->send(Command::Auth, 5, BytesView(Bytes(kMaxBodyBeforeAuth + 1, 'x')));
  EXPECT_EQ(next_error(*stranger), ErrorCode::kBodyTooLarge);
  run_until([&] { return stranger->is_closed(); });
}

TEST_F(EdgeLimitsTest, ALargeFrameMayFollowAuthAtOnce) {
  auto client = connect();
  client->send(Command::Auth, 1, wire::Auth{"ann/phone", "test"});
  const Bytes content = wire::encode_text(std::string(60'000, 'x'));
  client->send(Command::Send, 2, send_to("bob", msg_id(1), content));
  EXPECT_EQ(next(*client).command(), Command::AuthOk);
  EXPECT_GT(await_frame().body.size(), 60'000u);
}

TEST_F(EdgeLimitsTest, AStrangerWithoutAGoodTokenIsClosedAtLast) {
  auto stranger = connect();
  for (std::uint32_t id = 1; id <= kMaxBadTokens; ++id) {
    stranger->send(Command::Auth, id, wire::Auth{"no token", "test"});
    EXPECT_EQ(next_error(*stranger), ErrorCode::kTokenInvalid);
  }
  run_until([&] { return stranger->is_closed(); });
  EXPECT_NE(metrics().find(R"(closes_total{reason="bad_tokens"} 1)"), std::string::npos);
}

TEST_F(EdgeLimitsTest, AFrameMustBeCompleteWithinTheHeartbeat) {
  EdgeOptions options;
  options.session.heartbeat = seconds(30);
  start(options);
  auto slow = login("ann", "phone");
  slow->write(wire::encode_frame({.command = std::uint16_t(Command::Send), .request_id = 5},
                                 BytesView(Bytes(1000, 'x')))
                  .substr(0, 20));
  for (int i = 0; i < 31; ++i) {
    clock_.advance(seconds(1));
    slow->write("x");
    settle(2);
  }
  run_until([&] { return slow->is_closed(); });
  EXPECT_NE(metrics().find(R"(closes_total{reason="heartbeat"} 1)"), std::string::npos);
}

TEST_F(EdgeLimitsTest, IdleStrangersMakeRoom) {
  EdgeOptions options;
  options.door.max_strangers = 2;
  start(options);
  auto first = connect();
  auto second = connect();
  auto honest = login("ann", "phone");
  EXPECT_EQ(next_error(*first), ErrorCode::kBusy);
  run_until([&] { return first->is_closed(); });
  expect_pong(*second);
  expect_pong(*honest);
  auto another = connect();
  settle(20);
  EXPECT_FALSE(second->is_closed()) << "who has authenticated takes no stranger's place";
  EXPECT_NE(metrics().find(R"(closes_total{reason="made_room"} 1)"), std::string::npos);
}

TEST_F(EdgeLimitsTest, AStrangerWhoWaitsForAnAnswerStays) {
  EdgeOptions options;
  options.door.max_strangers = 1;
  start(options);
  auto waiting = connect();
  waiting->send(Command::Login, 1,
                wire::Login{UserId::trusted("ann"), DeviceId::trusted("phone"), "a password"});
  run_until([&] { return bus_.asked.size() == 1; });
  auto late = connect();
  EXPECT_EQ(next_error(*late), ErrorCode::kBusy);
  run_until([&] { return late->is_closed(); });
  EXPECT_NE(metrics().find(R"(closes_total{reason="too_many_strangers"} 1)"), std::string::npos);
}

TEST_F(EdgeLimitsTest, ConnectionsOfAnAddressThatAreTooManyAreRefused) {
  EdgeOptions options;
  options.door.connects = {1, 2};
  start(options);
  auto one = login("ann", "phone");
  auto two = connect();
  auto three = connect();
  const wire::Refusal refusal = next_refusal(*three);
  EXPECT_EQ(refusal.error.code, ErrorCode::kRateLimited);
  EXPECT_TRUE(refusal.retryable);
  EXPECT_GE(refusal.error.retry_after_ms, 1000u);
  run_until([&] { return three->is_closed(); });
  expect_pong(*one);
  clock_.advance(seconds(1));
  auto four = connect();
  expect_pong(*four);
}

TEST_F(EdgeLimitsTest, WrongPasswordsSlowTheNextGuessesDown) {
  EdgeOptions options;
  options.door.wrong_passwords = {10, 2, std::chrono::minutes(1)};
  start(options);
  bus_.answers[bus::subject::rpc_account()] = wire::encode(
      wire::ClientAnswer{.command = Command::Login, .error = {ErrorCode::kWrongPassword, {}, 0}});
  const wire::Login guess{UserId::trusted("ann"), DeviceId::trusted("phone"), "a password"};
  for (int i = 0; i < 2; ++i) {
    auto thief = connect();
    thief->send(Command::Login, 1, guess);
    EXPECT_EQ(next_error(*thief), ErrorCode::kWrongPassword);
  }
  auto thief = connect();
  thief->send(Command::Login, 1, guess);
  const wire::Refusal refusal = next_refusal(*thief);
  EXPECT_EQ(refusal.error.code, ErrorCode::kRateLimited);
  EXPECT_EQ(refusal.error.retry_after_ms, 6000u);
  thief->send(Command::Register, 2, wire::Register{UserId::trusted("eve"), "a password"});
  EXPECT_NE(next_error(*thief), ErrorCode::kRateLimited);
}

}  // namespace
}  // namespace martlet::edge
