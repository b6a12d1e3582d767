#include "edge_fixture.h"

namespace martlet::edge {
namespace {

using std::chrono::seconds;
using wire::Command;

class EdgeMessagesTest : public EdgeTest {
 protected:
  void SetUp() override {
    start({});
    ann_ = login("ann", "phone");
  }
  void send_one(std::uint32_t request = 2, std::uint8_t id = 1) {
    ann_->send(Command::Send, request, send_to("bob", msg_id(id), wire::encode_text("hello")));
  }

  std::unique_ptr<TestClient> ann_;
};

TEST_F(EdgeMessagesTest, ASendGoesToTheRecipientsSubjectOfTheConversationsShard) {
  send_one();
  const auto frame = await_frame();
  const ShardId shard =
      shard_of(ConversationId::between(UserId::trusted("ann"), UserId::trusted("bob")), 16);
  EXPECT_EQ(taken_[0].subject, bus::subject::in_user(shard, UserId::trusted("bob")));
  EXPECT_EQ(frame.edge, "e1");
  EXPECT_EQ(frame.session, last_session_);
  EXPECT_EQ(frame.request_id, 2u);
  EXPECT_EQ(frame.user, "ann");
  EXPECT_EQ(frame.device, "phone");
  EXPECT_EQ(frame.command, Command::Send);
  EXPECT_EQ(frame.received_ms, clock_.wall_ms());
}

TEST_F(EdgeMessagesTest, TheBodyIsNotTouched) {
  const Bytes body = wire::encode(send_to("bob", msg_id(1), wire::encode_text("hello")));
  ann_->send(Command::Send, 2, BytesView(body));
  EXPECT_EQ(await_frame().body, body);
}

TEST_F(EdgeMessagesTest, TheAgeMovesTheTimeFirstSent) {
  const Bytes content = wire::encode_text("hello");
  auto send = send_to("bob", msg_id(1), content);
  send.age = std::chrono::milliseconds(700);
  ann_->send(Command::Send, 2, send);
  EXPECT_EQ(await_frame().first_sent_ms, clock_.wall_ms() - 700);
}

TEST_F(EdgeMessagesTest, AnUnknownAgeIsToldAsUnknown) {
  send_one();
  EXPECT_EQ(await_frame().first_sent_ms, 0u);
}

TEST_F(EdgeMessagesTest, AnAcceptedSendIsAcknowledged) {
  send_one();
  answer({accepted(await_frame(), msg_id(1), 7)});
  const Received received = next(*ann_);
  ASSERT_EQ(received.command(), Command::Ack);
  EXPECT_EQ(received.header.request_id, 2u);
  const auto ack = wire::parse_ack(received.body).value();
  EXPECT_EQ(ack.seq, Seq(7));
  EXPECT_EQ(ack.client_msg_id, msg_id(1));
  EXPECT_EQ(ack.level, wire::AckLevel::Logged);
  EXPECT_EQ(ack.generation, Generation(1));
}

TEST_F(EdgeMessagesTest, ARefusalKeepsItsCodeItsTimeAndTheMessage) {
  send_one();
  auto refused = accepted(await_frame(), msg_id(1), 0);
  refused.kind = wire::AnswerKind::kRefused;
  refused.conversation = {};
  refused.error = ErrorCode::kLogFull;
  refused.retry_after_ms = 1234;
  answer({refused});
  const auto refusal = next_refusal(*ann_);
  EXPECT_EQ(refusal.error.code, ErrorCode::kLogFull);
  EXPECT_EQ(refusal.error.retry_after_ms, 1234u);
  EXPECT_TRUE(refusal.retryable);
  EXPECT_EQ(refusal.client_msg_id, msg_id(1));
}

TEST_F(EdgeMessagesTest, AnAnswerAboutAnotherMessageIsDropped) {
  send_one();
  const auto frame = await_frame();
  answer({accepted(frame, msg_id(9), 7)});
  answer({accepted(frame, msg_id(1), 8)});
  EXPECT_EQ(wire::parse_ack(next(*ann_).body).value().seq, Seq(8));
}

TEST_F(EdgeMessagesTest, ASecondAnswerIsDropped) {
  send_one();
  const auto frame = await_frame();
  answer({accepted(frame, msg_id(1), 7), accepted(frame, msg_id(1), 7)});
  EXPECT_EQ(next(*ann_).command(), Command::Ack);
  settle();
  EXPECT_FALSE(ann_->take().has_value());
}

TEST_F(EdgeMessagesTest, StoredAfterTheAckIsAnEvent) {
  send_one();
  auto stored = accepted(await_frame(), msg_id(1), 7);
  answer({stored});
  next(*ann_);
  stored.kind = wire::AnswerKind::kStored;
  answer({stored});
  const Received received = next(*ann_);
  EXPECT_EQ(received.command(), Command::StoredEvent);
  EXPECT_EQ(received.header.request_id, 0u);
  EXPECT_EQ(wire::parse_stored_event(received.body).value().client_msg_id, msg_id(1));
}

TEST_F(EdgeMessagesTest, StoredWhoseAckWasLostIsTheAck) {
  send_one();
  auto stored = accepted(await_frame(), msg_id(1), 7);
  stored.kind = wire::AnswerKind::kStored;
  answer({stored});
  const auto ack = wire::parse_ack(next(*ann_).body).value();
  EXPECT_EQ(ack.level, wire::AckLevel::Stored);
}

TEST_F(EdgeMessagesTest, AnAnswerOfAnEarlierOwnerIsDropped) {
  send_one(2, 1);
  const auto frame = await_frame();
  bus_.deliver(bus::subject::owner(ShardId(1)),
               wire::encode(wire::OwnerAnnounced{ShardId(1), Generation(1), Epoch(5), "d2"}));
  answer({accepted(frame, msg_id(1), 7)}, Epoch(4));
  answer({accepted(frame, msg_id(1), 8)}, Epoch(5));
  EXPECT_EQ(wire::parse_ack(next(*ann_).body).value().seq, Seq(8));
}

TEST_F(EdgeMessagesTest, ANewOwnerGetsTheUnansweredFramesAtOnceAndInOrder) {
  for (std::uint8_t i = 1; i <= 3; ++i) send_one(i + 1u, i);
  std::vector<wire::ClientFrame> frames;
  std::size_t count = 0;
  run_until([&] { return (count += published_frames().size()) == 3; });
  const ShardId shard =
      shard_of(ConversationId::between(UserId::trusted("ann"), UserId::trusted("bob")), 16);
  bus_.deliver(bus::subject::owner(shard),
               wire::encode(wire::OwnerAnnounced{shard, Generation(1), Epoch(5), "d2"}));
  frames = published_frames();
  ASSERT_EQ(frames.size(), 3u);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(frames[i].request_id, i + 2);
  // The same announcement again, a second later, is no news.
  bus_.deliver(bus::subject::owner(shard),
               wire::encode(wire::OwnerAnnounced{shard, Generation(1), Epoch(5), "d2"}));
  EXPECT_TRUE(published_frames().empty());
}

TEST_F(EdgeMessagesTest, AnOwnerThatLostEventsOfManyMakesAllSessionsSync) {
  wire::OwnerAnnounced announced{ShardId(1), Generation(1), Epoch(5), "d2", true};
  bus_.deliver(bus::subject::owner(ShardId(1)), wire::encode(announced));
  EXPECT_EQ(next(*ann_).command(), Command::ResyncEvent);
  announced.epoch = Epoch(4);
  pass(std::chrono::milliseconds(kSpreadMs));
  bus_.deliver(bus::subject::owner(ShardId(1)), wire::encode(announced));
  settle();
  EXPECT_FALSE(ann_->take().has_value()) << "of an earlier owner";
}

TEST_F(EdgeMessagesTest, WithoutAnAnswerTheFrameIsRepeatedAndAtLastRefusedAsRetryable) {
  EdgeOptions options;
  options.session.heartbeat = seconds(600);
  start(options);
  ann_ = login("ann", "phone");
  send_one();
  await_frame();
  pass(std::chrono::milliseconds(1100));
  EXPECT_EQ(published_frames().size(), 1u);
  pass(seconds(12));
  const auto refusal = next_refusal(*ann_);
  EXPECT_EQ(refusal.error.code, ErrorCode::kTimeout);
  EXPECT_TRUE(refusal.retryable);
  EXPECT_EQ(refusal.client_msg_id, msg_id(1));
}

TEST_F(EdgeMessagesTest, AtTheLimitOfAShardTheSocketIsNotReadUntilAnAnswerCame) {
  EdgeOptions options;
  options.unanswered.max_frames_per_shard = 2;
  start(options);
  ann_ = login("ann", "phone");
  for (std::uint8_t i = 1; i <= 4; ++i) send_one(i + 1u, i);
  ann_->send(Command::Ping, 50, wire::Ping{});
  std::vector<wire::ClientFrame> frames;
  std::vector<std::vector<FakeBus::Published>> keep;
  const auto collect = [&] {
    for (const auto& frame : published_frames()) frames.push_back(frame);
    keep.push_back(std::move(taken_));
  };
  settle(20);
  collect();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_FALSE(ann_->take().has_value()) << "the ping stands behind the waiting frames";
  answer({accepted(frames[0], msg_id(1), 1)});
  settle(20);
  collect();
  EXPECT_EQ(frames.size(), 3u);
  answer({accepted(frames[1], msg_id(2), 2), accepted(frames[2], msg_id(3), 3)});
  settle(20);
  collect();
  EXPECT_EQ(frames.size(), 4u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(next(*ann_).command(), Command::Ack);
  EXPECT_EQ(next(*ann_).command(), Command::Pong);
}

TEST_F(EdgeMessagesTest, OneConnectionAtItsLimitDoesNotStopAnother) {
  EdgeOptions options;
  options.session.max_unanswered = 2;
  start(options);
  ann_ = login("ann", "phone");
  auto eve = login("eve", "phone");
  for (std::uint8_t i = 1; i <= 4; ++i) send_one(i + 1u, i);
  settle(20);
  EXPECT_EQ(published_frames().size(), 2u);
  eve->send(Command::Ping, 2, wire::Ping{});
  EXPECT_EQ(next(*eve).command(), Command::Pong);
}

TEST_F(EdgeMessagesTest, AClientThatLeavesReturnsItsCredit) {
  EdgeOptions options;
  options.unanswered.max_frames_per_shard = 1;
  start(options);
  ann_ = login("ann", "phone");
  auto pad = login("ann", "pad");
  send_one();
  await_frame();
  pad->send(Command::Send, 2, send_to("bob", msg_id(5), wire::encode_text("x")));
  settle(20);
  EXPECT_TRUE(published_frames().empty());
  ann_->close();
  EXPECT_EQ(await_frame().device, "pad");
}

TEST_F(EdgeMessagesTest, AReadGoesToTheReadersOwnShard) {
  ann_->send(Command::Read, 2, wire::Read{ConversationId::trusted("u:ann:bob"), Seq(4)});
  auto frame = await_frame();
  const UserId ann = UserId::trusted("ann");
  EXPECT_EQ(taken_[0].subject,
            bus::subject::in_user(shard_of(ConversationId::with_self(ann), 16), ann));
  answer({accepted(frame, {}, 4)});
  EXPECT_EQ(next(*ann_).command(), Command::ReadOk);
}

TEST_F(EdgeMessagesTest, AnEventReachesAllSessionsButItsOrigin) {
  const SessionId phone = last_session_;
  auto pad = login("ann", "pad");
  to_user("ann", message_event(1, phone));
  const Received received = next(*pad);
  EXPECT_EQ(received.command(), Command::MessageEvent);
  EXPECT_EQ(received.header.request_id, 0u);
  EXPECT_EQ(wire::parse_message(received.body).value().seq, Seq(1));
  EXPECT_FALSE(ann_->take().has_value());
}

TEST_F(EdgeMessagesTest, AnEventOfAnEarlierOwnerIsDropped) {
  to_user("ann", message_event(1, {}, Epoch(5)));
  to_user("ann", message_event(2, {}, Epoch(4)));
  to_user("ann", message_event(3, {}, Epoch(5)));
  EXPECT_EQ(wire::parse_message(next(*ann_).body).value().seq, Seq(1));
  EXPECT_EQ(wire::parse_message(next(*ann_).body).value().seq, Seq(3));
}

TEST_F(EdgeMessagesTest, AJsonSessionGetsJson) {
  auto client = connect();
  client->send_json(Command::Auth, 1, R"({"access_token":"ann/web"})");
  const Received ok = next(*client);
  EXPECT_EQ(ok.header.codec, wire::Codec::kJson);
  EXPECT_NE(ok.body.find("\"user\":\"ann\""), std::string::npos) << ok.body;
  to_user("ann", message_event(1));
  const Received event = next(*client);
  EXPECT_EQ(event.header.codec, wire::Codec::kJson);
  EXPECT_NE(event.body.find("\"text\":\"hi\""), std::string::npos) << event.body;
  client->send_json(Command::Send, 2,
                    R"({"to_user":"bob","client_msg_id":"00112233445566778899aabbccddeeff",)"
                    R"("content":{"kind":"Text","text":"yo"}})");
  const auto frame = await_frame();
  EXPECT_EQ(wire::parse_send(frame.body).value().to_user.str(), "bob");
}

TEST_F(EdgeMessagesTest, AFullOutputLeavesEventsOutAndThenAsksToSync) {
  EdgeOptions options;
  options.output_high_bytes = 100'000;
  options.output_low_bytes = 10'000;
  start(options);
  ann_ = login("ann", "phone");
  const std::string text(20'000, 'x');
  for (std::uint64_t seq = 1; seq <= 200; ++seq)
    to_user("ann", message_event(seq, {}, Epoch(1), text));
  std::vector<std::uint64_t> seqs;
  bool resync = false;
  run_until([&] {
    while (const auto received = ann_->take()) {
      if (received->command() == Command::ResyncEvent) {
        resync = true;
      } else {
        seqs.push_back(wire::parse_message(received->body).value().seq.value());
      }
    }
    return resync;
  });
  EXPECT_LT(seqs.size(), 100u);
  for (std::size_t i = 0; i < seqs.size(); ++i) EXPECT_EQ(seqs[i], i + 1);
  to_user("ann", message_event(201));
  EXPECT_EQ(wire::parse_message(next(*ann_).body).value().seq, Seq(201));
}

TEST_F(EdgeMessagesTest, TheBrokersReturnAsksAllToSync) {
  auto bob = login("bob", "phone");
  bus_.state(bus::BusState::kReconnected);
  for (TestClient* client : {ann_.get(), bob.get()}) {
    const Received received = next(*client);
    EXPECT_EQ(received.command(), Command::ResyncEvent);
    EXPECT_EQ(wire::parse_resync_event(received.body).value().within_ms, kSpreadMs);
  }
}

TEST_F(EdgeMessagesTest, ManyDropsOfTheBrokerAskOnceAndAgainLater) {
  EdgeOptions options;
  options.session.heartbeat = seconds(600);
  start(options);
  ann_ = login("ann", "phone");
  bus_.state(bus::BusState::kSlowConsumer);
  bus_.state(bus::BusState::kSlowConsumer);
  bus_.state(bus::BusState::kSlowConsumer);
  EXPECT_EQ(next(*ann_).command(), Command::ResyncEvent);
  settle();
  EXPECT_FALSE(ann_->take().has_value());
  pass(seconds(11));
  EXPECT_EQ(next(*ann_).command(), Command::ResyncEvent);
}

}  // namespace
}  // namespace martlet::edge
