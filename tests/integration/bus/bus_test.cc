#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "bus/nats_bus.h"
#include "lib/nats/publisher.h"
#include "nats_client.h"
#include "support/nats_server.h"
#include "support/run_loop.h"

namespace martlet::bus {
namespace {

using namespace std::chrono_literals;
using test::NatsServer;
using test::run_until;

class BusTest : public ::testing::Test {
 protected:
  std::unique_ptr<NatsBus> join(const std::string& name) {
    auto bus = connect(
        loop_, {.url = server_.url(), .name = name, .wait = 5s, .client = test::nats_client()});
    EXPECT_TRUE(bus) << bus.error().detail;
    return std::move(*bus);
  }
  bool until(const std::function<bool()>& condition, std::chrono::seconds limit = 10s) {
    return run_until(loop_, condition, limit);
  }

  void wait_for_subscriptions(NatsBus& bus) {
    bool known = false;
    bus.after_subscriptions(2s, [&](Result<void> done) { known = done.has_value(); });
    ASSERT_TRUE(until([&] { return known; }));
  }
  void wait_for_publishes(NatsBus& bus) {
    bool handled = false;
    bus.after_publishes(2s, [&](Result<void> done) { handled = done.has_value(); });
    ASSERT_TRUE(until([&] { return handled; }));
  }

  NatsServer server_;
  event::Loop loop_;
};

TEST_F(BusTest, DeliversInOrderWhatIsPublishedAfterTheSubscriptionIsKnown) {
  const auto a = join("a");
  const auto b = join("b");
  std::vector<std::string> got;
  const auto subscription = b->subscribe("im.u.x", "", Priority::kDroppable,
                                         [&](const Incoming& m) { got.emplace_back(m.payload); });
  wait_for_subscriptions(*b);

  std::vector<std::string> sent;
  for (int i = 0; i < 5000; ++i) {
    sent.push_back(std::to_string(i));
    EXPECT_EQ(a->publish("im.u.x", sent.back()), SendResult::kSent);
  }
  EXPECT_TRUE(until([&] { return got.size() >= sent.size(); }));
  EXPECT_EQ(got, sent);
}

// More comes than a turn handles: it waits in order, and what does not fit is dropped and told.
TEST_F(BusTest, WhoIsTooSlowLosesWhatMayBeLostAndNothingElse) {
  constexpr std::size_t kSent = 20'000;
  const auto a = join("a");
  auto slow = connect(loop_, {.url = server_.url(),
                              .name = "slow",
                              .wait = 5s,
                              .client = test::nats_client(),
                              .queue = {.messages = 2000}});
  ASSERT_TRUE(slow);
  NatsBus& b = **slow;
  bool told = false;
  b.on_state([&](BusState state) { told = told || state == BusState::kSlowConsumer; });
  std::vector<std::size_t> events, answers;
  const auto droppable = b.subscribe("im.u.x", "", Priority::kDroppable, [&](const Incoming& m) {
    events.push_back(std::stoul(std::string(m.payload)));
  });
  const auto kept = b.subscribe("im.e.x", "", Priority::kAnswers, [&](const Incoming& m) {
    answers.push_back(std::stoul(std::string(m.payload)));
  });
  wait_for_subscriptions(b);
  for (std::size_t i = 0; i < kSent; ++i) {
    a->publish("im.u.x", std::to_string(i));
    if (i % 100 == 0) a->publish("im.e.x", std::to_string(i));
  }
  ASSERT_TRUE(until([&] { return events.size() + b.stats().receive_dropped == kSent; }));
  EXPECT_TRUE(until([&] { return answers.size() == kSent / 100; }));
  EXPECT_TRUE(std::is_sorted(events.begin(), events.end()));
  EXPECT_TRUE(std::is_sorted(answers.begin(), answers.end()));
  // How the library's threads and the loop take turns is chance.
  const bool is_native = test::nats_client() == nats::Client::kNative;
  EXPECT_LT(events.size(), is_native ? kSent : kSent + 1);
  EXPECT_EQ(told, events.size() < kSent);
}

TEST_F(BusTest, APublisherThatCannotSubscribeLeavesNoConnection) {
  const auto sockets = [] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      if (std::filesystem::read_symlink(entry, gone).string().starts_with("socket:")) ++count;
    }
    return count;
  };
  const std::size_t before = sockets();
  nats::ConnectionOptions options;
  options.url = server_.url();
  options.name = "a";
  options.client = nats::Client::kLibrary;  // ours does not wait for the broker's word
  const auto queue = std::make_shared<nats::InboundQueue>(nats::QueueLimits(), [] {});
  for (int i = 0; i < 3; ++i) {
    const auto publisher = nats::Publisher::connect(loop_, options, queue, 1, "no subject");
    EXPECT_FALSE(publisher);
  }
  EXPECT_TRUE(until([&] { return sockets() <= before; })) << sockets() << " of " << before;
}

TEST_F(BusTest, AnEndedSubscriptionGetsNothing) {
  const auto a = join("a");
  int got = 0;
  auto subscription =
      a->subscribe("im.u.x", "", Priority::kDroppable, [&](const Incoming&) { ++got; });
  wait_for_subscriptions(*a);
  a->publish("im.u.x", "1");
  ASSERT_TRUE(until([&] { return got == 1; }));
  subscription.reset();
  a->publish("im.u.x", "2");
  wait_for_publishes(*a);
  EXPECT_EQ(got, 1);
}

TEST_F(BusTest, AHandlerMayEndItsOwnSubscription) {
  const auto a = join("a");
  int got = 0;
  std::unique_ptr<Subscription> subscription;
  subscription = a->subscribe("im.u.x", "", Priority::kDroppable, [&](const Incoming&) {
    ++got;
    subscription.reset();
  });
  wait_for_subscriptions(*a);
  a->publish("im.u.x", "1");
  a->publish("im.u.x", "2");
  wait_for_publishes(*a);
  EXPECT_EQ(got, 1);
}

TEST_F(BusTest, ARequestIsAnsweredByOneOfTheQueueGroup) {
  const auto asker = join("asker");
  const auto one = join("one");
  const auto two = join("two");
  int asked = 0;
  const auto serve = [&](NatsBus& bus) {
    return bus.subscribe("im.rpc.read", "persist", Priority::kAnswers, [&](const Incoming& m) {
      ++asked;
      bus.reply(m.reply, "answer to " + std::string(m.payload));
    });
  };
  const auto first = serve(*one);
  const auto second = serve(*two);
  wait_for_subscriptions(*one);
  wait_for_subscriptions(*two);

  std::string answer;
  asker->request("im.rpc.read", "x", 2s, [&](Result<Bytes> result) { answer = *result; });
  ASSERT_TRUE(until([&] { return !answer.empty(); }));
  EXPECT_EQ(answer, "answer to x");
  EXPECT_EQ(asked, 1);
}

TEST_F(BusTest, ARequestWithoutListenersFailsAtOnce) {
  const auto a = join("a");
  ErrorCode code = ErrorCode::kNone;
  const MonotonicTime start = loop_.now();
  a->request("im.rpc.nobody", "x", 10s, [&](Result<Bytes> result) { code = result.error().code; });
  ASSERT_TRUE(until([&] { return code != ErrorCode::kNone; }));
  EXPECT_EQ(code, ErrorCode::kUnavailable);
  EXPECT_LT(loop_.now() - start, 2s);
}

TEST_F(BusTest, ARequestThatNobodyAnswersTimesOut) {
  const auto a = join("a");
  const auto mute = a->subscribe("im.rpc.mute", "", Priority::kAnswers, [](const Incoming&) {});
  wait_for_subscriptions(*a);
  ErrorCode code = ErrorCode::kNone;
  a->request("im.rpc.mute", "x", 100ms, [&](Result<Bytes> result) { code = result.error().code; });
  ASSERT_TRUE(until([&] { return code != ErrorCode::kNone; }));
  EXPECT_EQ(code, ErrorCode::kTimeout);
}

TEST_F(BusTest, AKilledServerFailsWhatWaitsAndAReturnedOneGetsAllSubscriptionsBack) {
  const auto a = join("a");
  std::vector<BusState> states;
  a->on_state([&](BusState state) { states.push_back(state); });
  std::vector<std::string> got;
  const auto before = a->subscribe("im.u.before", "", Priority::kDroppable,
                                   [&](const Incoming& m) { got.emplace_back(m.payload); });
  const auto mute = a->subscribe("im.rpc.mute", "", Priority::kAnswers, [](const Incoming&) {});
  wait_for_subscriptions(*a);

  ErrorCode code = ErrorCode::kNone;
  a->request("im.rpc.mute", "x", 60s, [&](Result<Bytes> result) { code = result.error().code; });
  wait_for_publishes(*a);
  server_.kill();
  ASSERT_TRUE(until([&] { return !states.empty(); }));
  EXPECT_EQ(code, ErrorCode::kUnavailable);
  EXPECT_EQ(a->publish("im.u.before", "lost"), SendResult::kDropped);
  const auto meanwhile = a->subscribe("im.u.meanwhile", "", Priority::kDroppable,
                                      [&](const Incoming& m) { got.emplace_back(m.payload); });

  server_.restart();
  ASSERT_TRUE(until([&] { return states.size() == 2; }));
  EXPECT_EQ(states, (std::vector{BusState::kDisconnected, BusState::kReconnected}));
  a->publish("im.u.before", "1");
  a->publish("im.u.meanwhile", "2");
  EXPECT_TRUE(until([&] { return got.size() == 2; }));
  EXPECT_EQ(got, (std::vector<std::string>{"1", "2"}));
}

// The library gives up for good after two refusals.
TEST_F(BusTest, ABrokerThatRefusedUsForAWhileGetsEverythingBack) {
  const auto a = join("a");
  std::vector<BusState> states;
  a->on_state([&](BusState state) { states.push_back(state); });
  std::vector<std::string> got;
  const auto subscription = a->subscribe("im.u.x", "", Priority::kDroppable,
                                         [&](const Incoming& m) { got.emplace_back(m.payload); });
  server_.set_settings({"authorization { user: im, password: other }"});
  server_.restart();
  ASSERT_TRUE(until([&] { return !states.empty(); }));
  const MonotonicTime refused = loop_.now();
  until([&] { return loop_.now() - refused > 4s; });
  EXPECT_FALSE(a->is_connected());
  server_.set_settings({});
  server_.restart();
  ASSERT_TRUE(until([&] { return a->is_connected(); }, 20s));
  EXPECT_EQ(states, (std::vector{BusState::kDisconnected, BusState::kReconnected}));
  a->publish("im.u.x", "1");
  EXPECT_TRUE(until([&] { return got.size() == 1; }));
}

// Nobody closes the link, it is only silent.
TEST_F(BusTest, ASilentLinkIsBrokenOffAndMadeAnew) {
  const auto a = join("a");
  server_.pause();
  EXPECT_TRUE(until([&] { return !a->is_connected(); }, 30s));
  server_.resume();
  EXPECT_TRUE(until([&] { return a->is_connected(); }, 20s));
}

// The server does not read: nothing may wait for it, and what exceeds the backlog is dropped.
TEST_F(BusTest, APausedServerDoesNotBlockPublishing) {
  const auto a = join("a");
  server_.pause();
  const std::string large(60'000, 'x');
  int dropped = 0;
  Duration longest{};
  int turns = 0;
  event::Timer timer(loop_, [&] {
    const MonotonicTime start = loop_.now();
    for (int i = 0; i < 100; ++i) dropped += a->publish("im.u.x", large) == SendResult::kDropped;
    longest = std::max(longest, loop_.now() - start);
    ++turns;
  });
  timer.start_every(1ms);
  EXPECT_TRUE(until([&] { return dropped > 0; }));
  server_.resume();
  EXPECT_GT(turns, 1);
  EXPECT_LT(longest, 1s) << "a send that blocks does so for 2 s, the write deadline";
  timer.cancel();
  bool handled = false;
  EXPECT_TRUE(until([&] { return a->stats().backlog_bytes == 0; }));
  a->after_publishes(5s, [&](Result<void> done) { handled = done.has_value(); });
  EXPECT_TRUE(until([&] { return handled; }));
}

TEST_F(BusTest, AnUnreachableServerIsAClearError) {
  server_.kill();
  const auto bus = connect(
      loop_, {.url = server_.url(), .name = "a", .wait = 1s, .client = test::nats_client()});
  ASSERT_FALSE(bus);
  EXPECT_EQ(bus.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(bus.error().detail.find("is not reachable"), std::string::npos) << bus.error().detail;
}

TEST(BusStart, AWrongPasswordIsAClearErrorWithoutThePassword) {
  NatsServer server({"authorization { user: im, password: right }"});
  event::Loop loop;
  const std::string port = std::to_string(server.port());
  const auto bad =
      connect(loop, {"nats://im:wrong@127.0.0.1:" + port, "a", 5s, test::nats_client()});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kForbidden);
  EXPECT_EQ(bad.error().detail.find("wrong@"), std::string::npos) << bad.error().detail;
  const auto good =
      connect(loop, {"nats://im:right@127.0.0.1:" + port, "a", 5s, test::nats_client()});
  EXPECT_TRUE(good);
}

TEST(BusStart, ASmallMaxPayloadIsAClearError) {
  NatsServer server({"max_payload: 100000"});
  event::Loop loop;
  const auto bus = connect(loop, {server.url(), "a", 5s, test::nats_client()});
  ASSERT_FALSE(bus);
  EXPECT_NE(bus.error().detail.find("max_payload"), std::string::npos);
}

}  // namespace
}  // namespace martlet::bus
