#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/subjects.h"
#include "edge/edge.h"
#include "fake_bus.h"
#include "support/hop_notes.h"
#include "support/test_client.h"
#include "wire/envelopes.h"
#include "wire/rpc.h"

namespace martlet::edge {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(MonotonicTime now) : now_(now) {}
  MonotonicTime now() const override { return now_; }
  WallMs wall_ms() const override { return wall_ms_; }
  void advance(Duration by) {
    now_ += by;
    wall_ms_ += WallMs(std::chrono::duration_cast<std::chrono::milliseconds>(by).count());
  }

 private:
  MonotonicTime now_;
  WallMs wall_ms_ = 1'700'000'000'000;
};

class FakeRegistry final : public registry::Sessions {
 public:
  void add(const registry::SessionRecord& record) override { live[record.session] = record; }
  void remove(const registry::SessionRecord& record) override { live.erase(record.session); }
  void read(const UserId&, Records callback) override { callback({}); }
  std::uint64_t dropped() const override { return 0; }

  std::map<SessionId, registry::SessionRecord> live;
};

using test::Received;
using test::TestClient;

// An edge on a fake broker, with clients on socket pairs. Tokens are "user/device".
class EdgeTest : public testing::Test {
 protected:
  void SetUp() override {
    bus_.answers[bus::subject::rpc_groups()] = wire::encode(wire::GroupsAnswer{});
    bus_.answers[bus::subject::rpc_moves()] = wire::encode(wire::MovesAnswer{});
    start({});
  }

  void start(EdgeOptions options) {
    edge_.reset();
    edge_ = std::make_unique<Edge>(EdgeParts{
        .loop = loop_,
        .clock = clock_,
        .random = random_,
        .bus = bus_,
        .registry = registry_,
        .metrics = metrics_,
        .verify_token = [this](std::string_view token, WallMs) -> Result<TokenClaims> {
          const std::size_t slash = token.find('/');
          if (slash == token.npos) return fail(ErrorCode::kTokenInvalid);
          return TokenClaims{UserId::trusted(token.substr(0, slash)),
                             DeviceId::trusted(token.substr(slash + 1)), expires_ms_};
        },
        .identity = {.id = id_, .name = "edge1", .started_ms = 1},
        .options = std::move(options),
        .load = {},
        .stop = [this](const std::string& why) { stopped_by_ = why; },
        .hops = &hops_,
    });
    bool started = false;
    edge_->start([&](const Result<void>& result) { started = result.has_value(); });
    ASSERT_TRUE(started);
  }

  std::unique_ptr<TestClient> connect() {
    int fds[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    edge_->adopt(net::UniqueFd(fds[0]));
    return std::make_unique<TestClient>(net::UniqueFd(fds[1]));
  }
  std::unique_ptr<TestClient> login(const std::string& user, const std::string& device) {
    auto client = connect();
    const std::string token = user + "/" + device;
    client->send(wire::Command::Auth, 1, wire::Auth{token, "test"});
    const Received answer = next(*client);
    EXPECT_EQ(answer.command(), wire::Command::AuthOk);
    const auto ok = wire::parse_auth_ok(answer.body);
    if (ok) last_session_ = ok->session;
    return client;
  }

  void run_until(const std::function<bool()>& condition) {
    bool timed_out = false;
    event::Timer poll(loop_, [&] {
      if (condition()) loop_.stop();
    });
    event::Timer deadline(loop_, [&] {
      timed_out = true;
      loop_.stop();
    });
    poll.start_every(std::chrono::milliseconds(1));
    deadline.start_once(std::chrono::seconds(20));
    loop_.run();
    ASSERT_FALSE(timed_out) << "the condition did not come true";
  }
  // Lets all happen that is ready, ticks of the edge included.
  void settle(int turns = 4) {
    run_until([&] { return --turns <= 0; });
  }
  void pass(Duration time) {
    clock_.advance(time);
    int turns = 150;  // more than a tick of the edge
    run_until([&] { return --turns <= 0; });
  }
  Received next(TestClient& client) {
    std::optional<Received> received;
    run_until([&] { return (received = client.take()).has_value(); });
    return received.value_or(Received{});
  }
  wire::Refusal next_refusal(TestClient& client) {
    last_ = next(client);
    EXPECT_EQ(last_.command(), wire::Command::Error);
    const auto refusal = wire::parse_refusal(last_.body);
    EXPECT_TRUE(refusal.has_value());
    return refusal.value_or(wire::Refusal{});
  }
  ErrorCode next_error(TestClient& client) { return next_refusal(client).error.code; }

  // The frames that went to owners of shards since the last call.
  std::vector<wire::ClientFrame> published_frames() {
    taken_ = bus_.take("im.in.");
    std::vector<wire::ClientFrame> frames;
    for (const auto& one : taken_) frames.push_back(wire::parse_client_frame(one.payload).value());
    return frames;
  }
  wire::ClientFrame await_frame() {
    std::vector<wire::ClientFrame> frames;
    run_until([&] {
      frames = published_frames();
      return !frames.empty();
    });
    EXPECT_EQ(frames.size(), 1u);
    return frames.empty() ? wire::ClientFrame{} : frames.front();
  }
  void answer(std::vector<wire::Answer> answers, Epoch epoch = Epoch(1)) {
    bus_.deliver(
        bus::subject::edge(id_),
        wire::encode(wire::AnswerBatch{ShardId(1), Generation(1), epoch, std::move(answers)}));
  }
  static wire::Answer accepted(const wire::ClientFrame& frame, const ClientMsgId& id,
                               std::uint64_t seq) {
    return {.kind = wire::AnswerKind::kAccepted,
            .session = frame.session,
            .request_id = frame.request_id,
            .command = frame.command,
            .client_msg_id = id,
            .conversation = "u:ann:bob",
            .seq = Seq(seq),
            .message_id = MessageId(99),
            .time_ms = 5};
  }
  static wire::Send send_to(std::string_view user, const ClientMsgId& id, BytesView content) {
    return {.to_user = UserId::trusted(user), .client_msg_id = id, .content = content};
  }
  static ClientMsgId msg_id(std::uint8_t n) {
    ClientMsgId id;
    id.bytes.fill(n);
    return id;
  }
  Bytes message_event(std::uint64_t seq, const SessionId& origin = {}, Epoch epoch = Epoch(1),
                      std::string_view text = "hi") {
    const Bytes content = wire::encode_text(text);
    const Bytes body = wire::encode(wire::Message{.conversation = "u:ann:bob",
                                                  .seq = Seq(seq),
                                                  .message_id = MessageId(seq),
                                                  .sender = "ann",
                                                  .client_msg_id = msg_id(1),
                                                  .content = content});
    return wire::encode(wire::Event{.shard = ShardId(1),
                                    .generation = Generation(1),
                                    .epoch = epoch,
                                    .position = LogPosition(1),
                                    .command = wire::Command::MessageEvent,
                                    .conversation = "u:ann:bob",
                                    .seq = Seq(seq),
                                    .origin = origin,
                                    .body = body});
  }
  void to_edge(BytesView payload) { bus_.deliver(bus::subject::edge(id_), payload); }
  void to_user(std::string_view user, BytesView payload) {
    bus_.deliver(bus::subject::user(UserId::trusted(user)), payload);
  }

  test::HopNotes hops_;
  std::string stopped_by_;
  event::Loop loop_;
  ManualClock clock_{loop_.now()};
  SeededRandom random_{1};
  FakeBus bus_;
  FakeRegistry registry_;
  metrics::Registry metric_registry_;
  EdgeMetrics metrics_{metric_registry_};
  EdgeId id_ = EdgeId::trusted("e1");
  WallMs expires_ms_ = clock_.wall_ms() + 3'600'000;
  SessionId last_session_;
  Received last_;
  std::vector<FakeBus::Published> taken_;
  std::unique_ptr<Edge> edge_;
};

}  // namespace martlet::edge
