#include "edge_fixture.h"

namespace martlet::edge {
namespace {

using wire::Command;

class EdgeInputTest : public EdgeTest {
 protected:
  void SetUp() override {
    start({});
    client_ = login("ann", "phone");
    neighbour_ = login("bob", "phone");
  }
  void TearDown() override {
    if (HasFatalFailure()) return;
    neighbour_->send(Command::Ping, 99, wire::Ping{});
    EXPECT_EQ(next(*neighbour_).command(), Command::Pong) << "others are not disturbed";
  }
  void expect_error_and_life(ErrorCode code) {
    EXPECT_EQ(next_error(*client_), code);
    client_->send(Command::Ping, 77, wire::Ping{});
    EXPECT_EQ(next(*client_).header.request_id, 77u);
  }
  void expect_error_and_end(ErrorCode code) {
    EXPECT_EQ(next_error(*client_), code);
    run_until([&] { return client_->is_closed(); });
  }
  static Bytes header(wire::FrameHeader header) {
    const auto bytes = wire::encode_header(header);
    return Bytes(bytes.data(), bytes.size());
  }

  std::unique_ptr<TestClient> client_;
  std::unique_ptr<TestClient> neighbour_;
};

TEST_F(EdgeInputTest, AWrongMagicEndsTheConnection) {
  client_->write("GET / HTTP/1.1\r\n\r\n");
  expect_error_and_end(ErrorCode::kBadMagic);
}

TEST_F(EdgeInputTest, AWrongVersionEndsTheConnection) {
  Bytes bytes = header({.command = std::uint16_t(Command::Ping)});
  bytes[2] = 2;
  client_->write(bytes);
  expect_error_and_end(ErrorCode::kBadVersion);
}

TEST_F(EdgeInputTest, AnUnknownCodecEndsTheConnection) {
  Bytes bytes = header({.command = std::uint16_t(Command::Ping)});
  bytes[3] = 9;
  client_->write(bytes);
  expect_error_and_end(ErrorCode::kBadCodec);
}

TEST_F(EdgeInputTest, AnUndefinedFlagEndsTheConnection) {
  client_->write(header({.command = std::uint16_t(Command::Ping), .flags = 0x80}));
  expect_error_and_end(ErrorCode::kBadFlags);
}

TEST_F(EdgeInputTest, ABodyOverTheLimitEndsTheConnectionAndNamesTheRequest) {
  client_->write(header(
      {.command = std::uint16_t(Command::Send), .request_id = 5, .body_bytes = kMaxBodyBytes + 1}));
  expect_error_and_end(ErrorCode::kBodyTooLarge);
  EXPECT_EQ(last_.header.request_id, 5u);
}

TEST_F(EdgeInputTest, ABodyOverTheLimitOfItsCommandEndsTheConnection) {
  client_->send(Command::Read, 5, BytesView(Bytes(4000, 'x')));
  expect_error_and_end(ErrorCode::kBodyTooLarge);
}

TEST_F(EdgeInputTest, AnUnknownCommandIsAnErrorOnly) {
  client_->send(static_cast<Command>(999), 5, BytesView("x"));
  expect_error_and_life(ErrorCode::kUnknownCommand);
}

TEST_F(EdgeInputTest, AnEventFromAClientIsAnErrorOnly) {
  client_->send(Command::MessageEvent, 5, BytesView("x"));
  expect_error_and_life(ErrorCode::kUnknownCommand);
}

TEST_F(EdgeInputTest, ABodyThatDoesNotVerifyIsAnErrorOnly) {
  client_->send(Command::Send, 5, BytesView("this is no FlatBuffer"));
  expect_error_and_life(ErrorCode::kBadBody);
}

TEST_F(EdgeInputTest, ATruncatedBodyIsAnErrorOnly) {
  Bytes body = wire::encode(send_to("bob", msg_id(1), wire::encode_text("hello")));
  body.resize(body.size() - 9);
  client_->send(Command::Send, 5, BytesView(body));
  expect_error_and_life(ErrorCode::kBadBody);
}

TEST_F(EdgeInputTest, ABadIdIsAnErrorOnly) {
  client_->send_json(Command::Send, 5,
                     R"({"to_user":"b.*","client_msg_id":"00112233445566778899aabbccddeeff",)"
                     R"("content":{"kind":"Text","text":"x"}})");
  expect_error_and_life(ErrorCode::kBadId);
}

TEST_F(EdgeInputTest, AReversedRangeIsAnErrorOnly) {
  client_->send(Command::Fetch, 5,
                wire::Fetch{{{ConversationId::trusted("u:ann:bob"), Seq(9), Seq(3)}}});
  expect_error_and_life(ErrorCode::kBadRange);
}

TEST_F(EdgeInputTest, DeeplyNestedJsonIsAnErrorOnly) {
  client_->send_json(Command::Send, 5, std::string(1000, '['));
  expect_error_and_life(ErrorCode::kBadBody);
}

TEST_F(EdgeInputTest, GarbageInsteadOfZstdIsAnErrorOnly) {
  client_->write(wire::encode_frame(
      {.command = std::uint16_t(Command::Ping), .flags = wire::kFlagZstd, .request_id = 5},
      "no zstd"));
  expect_error_and_life(ErrorCode::kBadBody);
}

TEST_F(EdgeInputTest, ACompressedBodyIsUnderstood) {
  const Bytes body = wire::encode(send_to("bob", msg_id(1), wire::encode_text("hello")));
  client_->write(wire::encode_frame(
      {.command = std::uint16_t(Command::Send), .flags = wire::kFlagZstd, .request_id = 5},
      wire::compress_body(body)));
  EXPECT_EQ(await_frame().body, body);
}

TEST_F(EdgeInputTest, ARequestIdInUseIsAnErrorOnly) {
  client_->send(Command::Send, 5, send_to("bob", msg_id(1), wire::encode_text("hello")));
  client_->send(Command::Send, 5, send_to("bob", msg_id(2), wire::encode_text("hello")));
  expect_error_and_life(ErrorCode::kBadRequestId);
}

TEST_F(EdgeInputTest, OfManyTokensOneIsCheckedInATurn) {
  constexpr std::uint32_t kTokens = 200;
  Bytes frames;
  for (std::uint32_t id = 1; id <= kTokens; ++id) {
    frames += wire::encode_frame({.command = std::uint16_t(Command::Auth), .request_id = id},
                                 wire::encode(wire::Auth{"no token", "test"}));
  }
  // The loop runs on when this test has returned.
  const auto turns = std::make_shared<std::size_t>(0);
  loop_.on_turn([turns](Duration) { ++*turns; });
  client_->write(frames);
  std::uint32_t answers = 0;
  run_until([&] {
    while (const auto received = client_->take()) {
      EXPECT_EQ(received->command(), Command::Error);
      EXPECT_EQ(received->header.request_id, ++answers);
    }
    return answers == kTokens;
  });
  EXPECT_GE(*turns, kTokens);
}

TEST_F(EdgeInputTest, ACommandBeforeAuthIsAnErrorOnly) {
  client_ = connect();
  client_->send(Command::Sync, 5, wire::Sync{});
  expect_error_and_life(ErrorCode::kNotAuthenticated);
}

TEST_F(EdgeInputTest, FramesMayComeByteByByte) {
  const Bytes bytes = wire::encode_frame({.command = std::uint16_t(Command::Ping), .request_id = 3},
                                         wire::encode(wire::Ping{}));
  for (const char byte : bytes) {
    client_->write(BytesView(&byte, 1));
    settle(1);
  }
  EXPECT_EQ(next(*client_).header.request_id, 3u);
}

TEST_F(EdgeInputTest, RandomBytesNeverDisturbOthers) {
  SeededRandom random(11);
  for (int round = 0; round < 50; ++round) {
    auto client = connect();
    client->write(random.bytes(1 + random.below(300)));
    settle(1);
  }
}

TEST_F(EdgeInputTest, MutatedFramesNeverDisturbOthers) {
  SeededRandom random(12);
  const Bytes good =
      wire::encode_frame({.command = std::uint16_t(Command::Send), .request_id = 3},
                         wire::encode(send_to("bob", msg_id(1), wire::encode_text("hello"))));
  for (int round = 0; round < 100; ++round) {
    auto client = login("eve", "d" + std::to_string(round % 5));
    Bytes bad = good;
    for (int i = 0; i < 3; ++i) bad[random.below(bad.size())] = char(random.below(256));
    client->write(bad);
    settle(1);
  }
}

}  // namespace
}  // namespace martlet::edge
