#include <set>

#include "edge_fixture.h"

namespace martlet::edge {
namespace {

using namespace std::chrono_literals;
using wire::Command;

// Where clients are told to go, and when.
class EdgeMovesTest : public EdgeTest {
 protected:
  void answer(std::vector<wire::Move> moves) {
    bus_.answers[bus::subject::rpc_moves()] = wire::encode(wire::MovesAnswer{std::move(moves)});
  }
  std::vector<std::unique_ptr<TestClient>> login_many(int count) {
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < count; ++i)
      clients.push_back(login("user" + std::to_string(next_user_++), "phone"));
    return clients;
  }
  std::string told(TestClient& client) {
    const Received event = next(client);
    EXPECT_EQ(event.command(), Command::ReconnectEvent);
    const auto body = wire::parse_reconnect_event(event.body);
    return body ? std::string(body->to) : "?";
  }
  wire::EdgeBeat last_beat() {
    beats_ = bus_.take("im.hb.");
    EXPECT_FALSE(beats_.empty());
    return wire::parse_edge_beat(beats_.back().payload).value();
  }

  int next_user_ = 0;
  std::vector<FakeBus::Published> beats_;  // whose bytes last_beat() shows
};

TEST_F(EdgeMovesTest, ADrainSendsClientsWhereTheApiSays) {
  answer({{"10.0.0.2:7400", 1}, {"10.0.0.3:7400", 1}});
  auto clients = login_many(3);
  edge_->drain([] {});
  settle(30);
  clock_.advance(100ms);  // they are few: 10 ms each
  std::multiset<std::string> to;
  for (const auto& client : clients) to.insert(told(*client));
  EXPECT_EQ(to, (std::multiset<std::string>{"", "10.0.0.2:7400", "10.0.0.3:7400"}));
}

TEST_F(EdgeMovesTest, WithoutAnAnswerTheyComeBackToWhatTheyUsed) {
  bus_.answers.erase(bus::subject::rpc_moves());
  auto client = login("ann", "phone");
  edge_->drain([] {});
  settle(30);
  ASSERT_FALSE(bus_.asked.empty());
  bus_.asked.back().callback(fail(ErrorCode::kTimeout));
  EXPECT_EQ(told(*client), "");
}

TEST_F(EdgeMovesTest, ADrainingEdgeLeavesRoutingBeforeItClosesItsDoor) {
  EdgeOptions options;
  options.drain_delay = 800ms;
  start(std::move(options));
  bus_.take("im.hb.");
  edge_->drain([] {});
  EXPECT_TRUE(last_beat().draining);
  EXPECT_NE(edge_->listen_address(), "");
  auto late = login("ann", "phone");
  pass(1s);
  EXPECT_EQ(edge_->listen_address(), "");
  EXPECT_EQ(told(*late), "") << "who came meanwhile is told as well";
}

TEST_F(EdgeMovesTest, WhoAuthenticatesLateIsToldToo) {
  auto stranger = connect();
  auto client = login("ann", "phone");
  edge_->drain([] {});
  EXPECT_EQ(told(*client), "");
  stranger->send(Command::Auth, 1, wire::Auth{"ben/phone", "test"});
  EXPECT_EQ(next(*stranger).command(), Command::AuthOk);
  EXPECT_EQ(told(*stranger), "");
}

TEST_F(EdgeMovesTest, WhoWasToldIsToldOnce) {
  auto deaf = login("ann", "phone");
  edge_->drain([] {});
  EXPECT_EQ(told(*deaf), "");
  settle(30);
  EXPECT_FALSE(deaf->take());
}

// They all stay, or come back at once. By the period: a plan after one, four and nine of them.
TEST_F(EdgeMovesTest, WhatComesToNothingIsTriedLessAndLessOften) {
  EdgeOptions options;
  options.rebalance = 4s;
  start(std::move(options));
  auto clients = login_many(4);
  answer({{"10.0.0.2:7400", 2}});
  const auto told_in = [&](Duration time) {
    int told = 0;
    for (; time > Duration(0); time -= 2s) {
      pass(2s);
      for (const auto& client : clients) {
        while (client->take()) ++told;
      }
    }
    return told;
  };
  const int told = told_in(40s);
  EXPECT_GE(told, 2 * 2);
  EXPECT_LE(told, 3 * 2);
}

TEST_F(EdgeMovesTest, ADrainIsOverWhenAllWereToldAndHadAMoment) {
  auto deaf = login("ann", "phone");
  bool drained = false;
  edge_->drain([&] { drained = true; });
  settle(50);
  EXPECT_FALSE(drained);
  clock_.advance(kDrainGrace);
  run_until([&] { return drained; });
}

TEST_F(EdgeMovesTest, AsksNowAndThenWhetherItHasTooMany) {
  auto clients = login_many(4);
  answer({{"10.0.0.2:7400", 2}});
  pass(15s);
  clock_.advance(kSteadyTime);
  int went = 0;
  run_until([&] {
    clock_.advance(1ms);
    for (const auto& client : clients) went += client->take() ? 1 : 0;
    return went >= 2;
  });
  answer({});
  pass(1s);
  for (const auto& client : clients) EXPECT_FALSE(client->take()) << "no more than was said";
  EXPECT_FALSE(edge_->is_draining());
}

TEST_F(EdgeMovesTest, DoesNotAskWhileClientsPourIn) {
  bus_.answers.erase(bus::subject::rpc_moves());
  auto clients = login_many(4);
  pass(15s);
  for (int i = 0; i < 3; ++i) {
    for (auto& one : login_many(4)) clients.push_back(std::move(one));
    pass(kSteadyTime);
  }
  EXPECT_TRUE(bus_.asked.empty());
  pass(kSteadyTime);
  EXPECT_EQ(bus_.asked.size(), 1U);
}

TEST_F(EdgeMovesTest, AnAnswerFromBeforeTheStopIsPassedOver) {
  bus_.answers.erase(bus::subject::rpc_moves());
  auto client = login("ann", "phone");
  pass(15s);
  clock_.advance(kSteadyTime);
  run_until([&] { return !bus_.asked.empty(); });
  bool drained = false;
  edge_->drain([&] { drained = true; });
  run_until([&] { return bus_.asked.size() == 2; });
  bus_.asked[0].callback(wire::encode(wire::MovesAnswer{{{"10.0.0.2:7400", 1}}}));
  clock_.advance(kDrainGrace / 2);
  settle(50);
  EXPECT_FALSE(client->take());
  clock_.advance(kDrainGrace / 2);
  settle(50);
  EXPECT_FALSE(drained) << "nobody was told yet";
  bus_.asked[1].callback(wire::encode(wire::MovesAnswer{{{"10.0.0.3:7400", 1}}}));
  EXPECT_EQ(told(*client), "10.0.0.3:7400");
}

TEST_F(EdgeMovesTest, BeatsTellLoadAndWeight) {
  EdgeOptions options;
  options.weight = 250;
  start(std::move(options));
  pass(2s);
  const wire::EdgeBeat beat = last_beat();
  EXPECT_EQ(beat.weight, 250U);
  EXPECT_EQ(beat.cpu_permille, 0U);
}

}  // namespace
}  // namespace martlet::edge
