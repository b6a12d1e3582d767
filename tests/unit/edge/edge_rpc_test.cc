#include <spdlog/fmt/fmt.h>

#include "edge_fixture.h"
#include "model/limits.h"
#include "wire/json_codec.h"

namespace martlet::edge {
namespace {

using wire::Command;

// Far more than a stop takes here, and less than a connection has for its last words otherwise.
constexpr Duration kStopBound = std::chrono::milliseconds(1900);
static_assert(kStopBound < std::chrono::milliseconds(kCloseDeadlineMs));

class EdgeRpcTest : public EdgeTest {
 protected:
  FakeBus::Asked await_question() {
    run_until([&] { return !bus_.asked.empty(); });
    if (bus_.asked.empty()) return {};
    FakeBus::Asked asked = std::move(bus_.asked.front());
    bus_.asked.pop_front();
    return asked;
  }
  static Bytes answer_body(Command request, BytesView body) {
    return wire::encode(wire::ClientAnswer{.command = request, .body = body});
  }
};

TEST_F(EdgeRpcTest, ALoginIsAskedOfPersistWithoutAuth) {
  auto client = connect();
  client->send(Command::Login, 4,
               wire::Login{UserId::trusted("ann"), DeviceId::trusted("phone"), "password1"});
  const auto asked = await_question();
  EXPECT_EQ(asked.subject, bus::subject::rpc_account());
  const auto question = wire::parse_client_request(asked.payload).value();
  EXPECT_EQ(question.command, Command::Login);
  EXPECT_TRUE(question.user.empty());
  EXPECT_EQ(question.wait, EdgeOptions().rpc_timeout) << "persist must know when we give up";
  asked.callback(answer_body(Command::Login, wire::encode(wire::Tokens{"access", "refresh", 60})));
  const Received answer = next(*client);
  EXPECT_EQ(answer.command(), Command::Tokens);
  EXPECT_EQ(answer.header.request_id, 4u);
  EXPECT_EQ(wire::parse_tokens(answer.body).value().access_token, "access");
}

TEST_F(EdgeRpcTest, ASyncCarriesWhoAsksAndItsAnswerIsNotTouched) {
  auto client = login("ann", "phone");
  client->send(Command::Sync, 4, wire::Sync{});
  const auto asked = await_question();
  EXPECT_EQ(asked.subject, bus::subject::rpc_read());
  const auto question = wire::parse_client_request(asked.payload).value();
  EXPECT_EQ(question.user.str(), "ann");
  EXPECT_EQ(question.device.str(), "phone");
  const Bytes page = wire::encode(wire::SyncPage{.token = "tok"});
  asked.callback(answer_body(Command::Sync, page));
  EXPECT_EQ(next(*client).body, page);
}

TEST_F(EdgeRpcTest, ASyncOfTheMostShardsPassesInBothCodecs) {
  const Bytes token(kMaxSyncTokenBytes, 't');
  const Bytes page(kMaxSyncCursorBytes, 'p');
  const Bytes sync = wire::encode(wire::Sync{token, page});
  const auto expect_asked = [&] {
    const auto asked = await_question();
    const auto question = wire::parse_client_request(asked.payload).value();
    const auto body = wire::parse_sync(question.body).value();
    EXPECT_EQ(body.token, token);
    EXPECT_EQ(body.page, page);
  };
  auto client = login("ann", "phone");
  client->send(Command::Sync, 4, wire::Sync{token, page});
  expect_asked();

  auto web = connect();
  web->send_json(Command::Auth, 1, R"({"access_token":"ben/web"})");
  next(*web);
  web->send_json(Command::Sync, 2, wire::body_to_json(Command::Sync, sync).value());
  expect_asked();
}

TEST_F(EdgeRpcTest, AFetchOfWhatLiveShouldHaveBroughtIsCounted) {
  auto client = login("ann", "phone");
  const auto conversation = ConversationId::parse("u:ann:ben").value();
  client->send(Command::Fetch, 4, wire::Fetch{{{conversation, Seq(3), Seq(5)}}, 2});
  await_question();
  EXPECT_NE(metric_registry_.render().find("martlet_edge_live_missed_total 2\n"),
            std::string::npos);
}

TEST_F(EdgeRpcTest, ARefusalOfPersistIsPassedOn) {
  auto client = connect();
  client->send(Command::Login, 4,
               wire::Login{UserId::trusted("ann"), DeviceId::trusted("phone"), "password1"});
  await_question().callback(wire::encode(wire::ClientAnswer{
      .command = Command::Login, .error = {ErrorCode::kWrongPassword, "no", 0}}));
  EXPECT_EQ(next_error(*client), ErrorCode::kWrongPassword);
}

TEST_F(EdgeRpcTest, FailuresAreCountedByTheirCommand) {
  const auto failed = [this](std::string_view command) {
    const std::string page = metric_registry_.render();
    const std::string series = fmt::format("martlet_edge_failed_total{{command=\"{}\"}} ", command);
    return page.at(page.find(series) + series.size());
  };
  auto stranger = connect();
  stranger->send(Command::History, 4, wire::History{});
  EXPECT_EQ(next_error(*stranger), ErrorCode::kNotAuthenticated) << "refused by the edge itself";
  auto client = login("ann", "phone");
  client->send(Command::Sync, 4, wire::Sync{});
  client->send(Command::Ping, 5, wire::Ping{});
  EXPECT_EQ(next(*client).command(), Command::Pong);
  await_question().callback(fail(ErrorCode::kUnavailable));
  EXPECT_EQ(next_error(*client), ErrorCode::kUnavailable) << "refused for persist, after others";
  EXPECT_EQ(failed("history"), '1');
  EXPECT_EQ(failed("sync"), '1');
  EXPECT_EQ(failed("send"), '0');
}

TEST_F(EdgeRpcTest, NobodyThereIsRetryable) {
  auto client = login("ann", "phone");
  client->send(Command::Sync, 4, wire::Sync{});
  await_question().callback(fail(ErrorCode::kUnavailable));
  const auto refusal = next_refusal(*client);
  EXPECT_EQ(refusal.error.code, ErrorCode::kUnavailable);
  EXPECT_TRUE(refusal.retryable);
  EXPECT_GT(refusal.error.retry_after_ms, 0u);
}

TEST_F(EdgeRpcTest, AnAnswerThatDoesNotVerifyIsOurFault) {
  auto client = login("ann", "phone");
  client->send(Command::Sync, 4, wire::Sync{});
  await_question().callback(Bytes("garbage"));
  EXPECT_EQ(next_error(*client), ErrorCode::kInternal);
}

TEST_F(EdgeRpcTest, AnAnswerAfterTheClientLeftIsHarmless) {
  auto client = login("ann", "phone");
  client->send(Command::Sync, 4, wire::Sync{});
  const auto asked = await_question();
  client->close();
  run_until([&] { return edge_->connections() == 0; });
  asked.callback(answer_body(Command::Sync, wire::encode(wire::SyncPage{})));
  settle();
}

TEST_F(EdgeRpcTest, PagesAreAskedFewAtATimeWhileSendsGoOn) {
  auto client = login("ann", "phone");
  for (std::uint32_t id = 10; id < 20; ++id) {
    client->send(Command::Send, id + 100,
                 send_to("bob", msg_id(std::uint8_t(id)), wire::encode_text("x")));
    client->send(Command::Sync, id, wire::Sync{});
  }
  settle(20);
  EXPECT_EQ(bus_.asked.size(), kMaxReadsPerConnection);
  await_question().callback(answer_body(Command::Sync, wire::encode(wire::SyncPage{})));
  settle(20);
  EXPECT_EQ(bus_.asked.size(), kMaxReadsPerConnection);
}

TEST_F(EdgeRpcTest, JsonClientsGetPagesInJson) {
  auto client = connect();
  client->send_json(Command::Auth, 1, R"({"access_token":"ann/web"})");
  next(*client);
  client->send_json(Command::Sync, 2, "{}");
  await_question().callback(
      answer_body(Command::Sync, wire::encode(wire::SyncPage{.token = "tok"})));
  const Received page = next(*client);
  EXPECT_EQ(page.command(), Command::SyncPage);
  EXPECT_NE(page.body.find("\"token\":\"dG9r\""), std::string::npos) << page.body;
}

TEST_F(EdgeRpcTest, AnAnswerThatDoesNotFitIntoTheOutputEndsTheConnection) {
  EdgeOptions options;
  options.output_high_bytes = 10'000;
  options.output_limit_bytes = 100'000;
  start(options);
  auto client = login("ann", "phone");
  client->send(Command::Sync, 4, wire::Sync{});
  const Bytes token(200'000, 'x');
  await_question().callback(
      answer_body(Command::Sync, wire::encode(wire::SyncPage{.token = token})));
  const Received kicked = next(*client);
  ASSERT_EQ(kicked.command(), Command::KickedEvent);
  EXPECT_EQ(wire::parse_kicked_event(kicked.body).value().reason, wire::KickReason::SlowConsumer);
  run_until([&] { return client->is_closed(); });
}

TEST_F(EdgeRpcTest, AClientThatTakesNothingForAWhileIsClosed) {
  auto client = login("ann", "phone");
  client->send(Command::Sync, 4, wire::Sync{});
  const Bytes token(500'000, 'x');
  await_question().callback(
      answer_body(Command::Sync, wire::encode(wire::SyncPage{.token = token})));
  settle();
  pass(std::chrono::seconds(29));
  EXPECT_EQ(edge_->sessions(), 1u);
  pass(std::chrono::seconds(3));
  EXPECT_EQ(edge_->sessions(), 0u);
}

TEST_F(EdgeRpcTest, BeatsTellAboutTheEdge) {
  auto client = login("ann", "phone");
  bus_.take("im.hb.");
  pass(std::chrono::seconds(2));
  const auto beats = bus_.take("im.hb.");
  ASSERT_FALSE(beats.empty());
  const auto beat = wire::parse_edge_beat(beats.back().payload).value();
  EXPECT_EQ(beat.sessions, 1u);
  EXPECT_EQ(beat.address, edge_->identity().address);
  EXPECT_FALSE(beat.draining);
}

TEST_F(EdgeRpcTest, StoppingAsksClientsToGoAndThenClosesThem) {
  auto client = login("ann", "phone");
  bool drained = false;
  edge_->drain([&] { drained = true; });
  EXPECT_EQ(next(*client).command(), Command::ReconnectEvent);
  clock_.advance(kDrainGrace);
  run_until([&] { return drained; });
  bool closed = false;
  edge_->close_all([&] { closed = true; });
  Received kicked = next(*client);
  if (kicked.command() == Command::ReconnectEvent) kicked = next(*client);  // reminded
  EXPECT_EQ(kicked.command(), Command::KickedEvent);
  EXPECT_EQ(wire::parse_kicked_event(kicked.body).value().reason, wire::KickReason::Draining);
  client->close();
  run_until([&] { return closed; });
  EXPECT_TRUE(registry_.live.empty());
}

TEST_F(EdgeRpcTest, AStopFitsIntoTheTimeThatItWasGiven) {
  EdgeOptions options;
  options.stop_time = std::chrono::milliseconds(500);
  start(std::move(options));
  auto deaf = login("ann", "phone");  // neither goes away nor closes
  const MonotonicTime began = loop_.now();
  bool drained = false;
  bool closed = false;
  edge_->drain([&] { drained = true; });
  EXPECT_EQ(next(*deaf).command(), Command::ReconnectEvent);
  clock_.advance(std::chrono::milliseconds(50));
  run_until([&] { return drained; });
  edge_->close_all([&] { closed = true; });
  run_until([&] { return closed; });
  EXPECT_LT(loop_.now() - began, kStopBound);
}

TEST_F(EdgeRpcTest, AStopWithoutClientsTakesNoTime) {
  const MonotonicTime began = loop_.now();
  bool closed = false;
  edge_->drain([&] { edge_->close_all([&] { closed = true; }); });
  run_until([&] { return closed; });
  EXPECT_LT(loop_.now() - began, kStopBound);
}

}  // namespace
}  // namespace martlet::edge
