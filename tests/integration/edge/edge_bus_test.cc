#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bus/nats_bus.h"
#include "bus/subjects.h"
#include "edge/edge.h"
#include "net/address.h"
#include "support/nats_server.h"
#include "support/run_loop.h"
#include "support/test_client.h"
#include "wire/envelopes.h"

namespace martlet::edge {
namespace {

using std::chrono::seconds;
using test::Received;
using test::TestClient;
using wire::Command;

class NoDirectory final : public registry::Sessions {
 public:
  void add(const registry::SessionRecord&) override {}
  void remove(const registry::SessionRecord&) override {}
  void read(const UserId&, Records callback) override { callback({}); }
  std::uint64_t dropped() const override { return 0; }
};

// The owner of all shards, as far as an edge can tell: numbers every SEND and answers it.
class ScriptedOwner {
 public:
  explicit ScriptedOwner(bus::Bus& bus) : bus_(bus) {
    subscription_ = bus_.subscribe(
        "im.in.>", {}, bus::Priority::kAnswers,
        [this](const bus::Incoming& incoming) { on_frame(incoming.subject, incoming.payload); });
  }

  int frames = 0;

 private:
  void on_frame(std::string_view subject, BytesView payload) {
    ++frames;
    const auto frame = wire::parse_client_frame(payload).value();
    const auto send = wire::parse_checked_send(frame.body).value();
    const UserId sender = UserId::trusted(frame.user);
    const auto conversation = ConversationId::between(sender, send.to_user);
    const ShardId shard = shard_of(conversation, 16);
    ASSERT_EQ(subject, bus::subject::in_user(shard, send.to_user));
    const auto [known, is_new] = seqs_.try_emplace(to_string(send.client_msg_id), seqs_.size() + 1);
    const Seq seq(known->second);
    bus_.publish(bus::subject::edge(EdgeId::trusted(frame.edge)),
                 wire::encode(wire::AnswerBatch{shard,
                                                Generation(1),
                                                Epoch(1),
                                                {{.kind = wire::AnswerKind::kAccepted,
                                                  .session = frame.session,
                                                  .request_id = frame.request_id,
                                                  .command = frame.command,
                                                  .client_msg_id = send.client_msg_id,
                                                  .conversation = conversation.str(),
                                                  .seq = seq,
                                                  .message_id = MessageId(1)}}}));
    if (!is_new) return;
    const Bytes body = wire::encode(wire::Message{.conversation = conversation.str(),
                                                  .seq = seq,
                                                  .sender = frame.user,
                                                  .client_msg_id = send.client_msg_id,
                                                  .content = send.content});
    const Bytes event = wire::encode(wire::Event{.shard = shard,
                                                 .generation = Generation(1),
                                                 .epoch = Epoch(1),
                                                 .command = Command::MessageEvent,
                                                 .conversation = conversation.str(),
                                                 .seq = seq,
                                                 .origin = frame.session,
                                                 .body = body});
    bus_.publish(bus::subject::user(send.to_user), event);
    bus_.publish(bus::subject::user(sender), event);
  }

  bus::Bus& bus_;
  std::unique_ptr<bus::Subscription> subscription_;
  std::map<std::string, std::uint64_t> seqs_;
};

class EdgeOnBusTest : public testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    owner_bus_ = join("owner");
    owner_ = std::make_unique<ScriptedOwner>(*owner_bus_);
    for (int i = 0; i < 2; ++i) start_edge("e" + std::to_string(i + 1));
  }
  void TearDown() override { edges_.clear(); }

  std::unique_ptr<bus::NatsBus> join(const std::string& name) {
    auto bus = bus::connect(loop_, {.url = server_.url(), .name = name, .wait = seconds(5)});
    EXPECT_TRUE(bus) << bus.error().detail;
    return std::move(*bus);
  }
  void start_edge(const std::string& name) {
    buses_.push_back(join(name));
    edges_.push_back(std::make_unique<Edge>(
        EdgeParts{.loop = loop_,
                  .clock = clock_,
                  .random = random_,
                  .bus = *buses_.back(),
                  .registry = directory_,
                  .metrics = metrics_,
                  .verify_token = [](std::string_view token, WallMs now) -> Result<TokenClaims> {
                    const std::size_t slash = token.find('/');
                    return TokenClaims{UserId::trusted(token.substr(0, slash)),
                                       DeviceId::trusted(token.substr(slash + 1)), now + 3'600'000};
                  },
                  .identity = {.id = EdgeId::trusted(name), .name = name, .started_ms = 1},
                  .options = {}}));
    bool started = false;
    edges_.back()->start([&](const Result<void>& result) { started = result.has_value(); });
    ASSERT_TRUE(until([&] { return started; }));
  }
  bool until(const std::function<bool()>& condition) {
    return test::run_until(loop_, condition, seconds(20));
  }

  std::unique_ptr<TestClient> login(std::size_t edge, const std::string& token) {
    const auto address = net::parse_address(edges_[edge]->listen_address()).value();
    const auto target = net::resolve(address).value();
    net::UniqueFd fd(::socket(target.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), target.raw(), target.size), 0);
    auto client = std::make_unique<TestClient>(std::move(fd));
    client->send(Command::Auth, 1, wire::Auth{token, "test"});
    EXPECT_EQ(next(*client).command(), Command::AuthOk);
    return client;
  }
  Received next(TestClient& client) {
    std::optional<Received> received;
    EXPECT_TRUE(until([&] { return (received = client.take()).has_value(); }));
    return received.value_or(Received{});
  }
  void send(TestClient& from, std::string_view to, std::uint8_t id) {
    const Bytes content = wire::encode_text("hello");
    ClientMsgId msg_id;
    msg_id.bytes.fill(id);
    from.send(
        Command::Send, 100u + id,
        wire::Send{.to_user = UserId::trusted(to), .client_msg_id = msg_id, .content = content});
  }

  test::NatsServer server_;
  event::Loop loop_;
  SystemClock clock_;
  SystemRandom random_;
  NoDirectory directory_;
  metrics::Registry metric_registry_;
  EdgeMetrics metrics_{metric_registry_};
  std::unique_ptr<bus::NatsBus> owner_bus_;
  std::unique_ptr<ScriptedOwner> owner_;
  std::vector<std::unique_ptr<bus::NatsBus>> buses_;
  std::vector<std::unique_ptr<Edge>> edges_;
};

TEST_F(EdgeOnBusTest, AMessageCrossesTwoEdges) {
  auto ann = login(0, "ann/phone");
  auto pad = login(1, "ann/pad");
  auto bob = login(1, "bob/phone");
  send(*ann, "bob", 1);
  EXPECT_EQ(next(*ann).command(), Command::Ack);
  EXPECT_EQ(next(*bob).command(), Command::MessageEvent);
  EXPECT_EQ(next(*pad).command(), Command::MessageEvent);
  EXPECT_FALSE(ann->take().has_value());
}

TEST_F(EdgeOnBusTest, ThousandsOfMessagesAreAnsweredInTheirOrder) {
  auto ann = login(0, "ann/phone");
  auto bob = login(1, "bob/phone");
  std::uint64_t acked = 0;
  std::uint64_t received = 0;
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 50; ++i) {
      const Bytes content = wire::encode_text("hello");
      ann->send(Command::Send, std::uint32_t(i + 2),
                wire::Send{.to_user = UserId::trusted("bob"),
                           .client_msg_id = make_client_msg_id(clock_, random_),
                           .content = content});
    }
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(wire::parse_ack(next(*ann).body).value().seq, Seq(++acked));
      EXPECT_EQ(wire::parse_message(next(*bob).body).value().seq, Seq(++received));
    }
  }
  EXPECT_EQ(owner_->frames, 2000);
}

TEST_F(EdgeOnBusTest, TheSameDeviceOnAnotherEdgeReplacesTheOlderSession) {
  auto older = login(0, "ann/phone");
  ASSERT_TRUE(until([now = clock_.wall_ms(), this] { return clock_.wall_ms() > now; }));
  auto newer = login(1, "ann/phone");
  const Received kicked = next(*older);
  ASSERT_EQ(kicked.command(), Command::KickedEvent);
  EXPECT_EQ(wire::parse_kicked_event(kicked.body).value().reason, wire::KickReason::Replaced);
  EXPECT_TRUE(until([&] { return older->is_closed(); }));
  EXPECT_FALSE(newer->is_closed());
}

TEST_F(EdgeOnBusTest, WhenTheBrokerComesBackFramesAreSentAgainAndClientsSync) {
  auto ann = login(0, "ann/phone");
  server_.kill();
  ASSERT_TRUE(until([&] { return !buses_[0]->is_connected(); }));
  send(*ann, "bob", 1);
  ASSERT_TRUE(until([&] { return edges_[0]->unanswered() == 1; }));
  server_.restart();
  bool acked = false;
  bool resync = false;
  while (!acked || !resync) {
    const Received received = next(*ann);
    acked |= received.command() == Command::Ack;
    resync |= received.command() == Command::ResyncEvent;
    ASSERT_NE(received.command(), Command::None);
  }
}

TEST_F(EdgeOnBusTest, ASessionOfBeforeStillGetsEventsAfterTheBrokerCameBack) {
  auto ann = login(0, "ann/phone");
  auto bob = login(1, "bob/phone");
  server_.kill();
  ASSERT_TRUE(until([&] { return !buses_[0]->is_connected() && !buses_[1]->is_connected(); }));
  server_.restart();
  EXPECT_EQ(next(*ann).command(), Command::ResyncEvent);
  EXPECT_EQ(next(*bob).command(), Command::ResyncEvent);
  ASSERT_TRUE(until([&] { return owner_bus_->is_connected(); }));
  send(*ann, "bob", 1);
  EXPECT_EQ(next(*ann).command(), Command::Ack);
  EXPECT_EQ(next(*bob).command(), Command::MessageEvent);
}

}  // namespace
}  // namespace martlet::edge
