#include <gtest/gtest.h>

#include <optional>

#include "tls_fixture.h"

namespace martlet::net {
namespace {

std::string long_text(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = char('a' + i * 7 % 26 + i / 1000 % 3);
  return text;
}

class ConnectionTlsTest : public TlsTest {};

TEST_F(ConnectionTlsTest, CarriesBytesBothWays) {
  open_both();
  EXPECT_FALSE(server_->is_secured());
  client_->send("to the server");
  server_->send("to the client");
  carry_until([this] {
    return at_server_.bytes == "to the server" && at_client_.bytes == "to the client";
  });
  EXPECT_TRUE(server_->is_secured());
  EXPECT_EQ(to_server_.find("to the server"), std::string::npos) << "in the clear";
}

TEST_F(ConnectionTlsTest, TakesRecordsThatComeByteByByte) {
  open_both();
  client_->send("to the server");
  server_->send("to the client");
  carry_until(
      [this] { return at_server_.bytes == "to the server" && at_client_.bytes == "to the client"; },
      7);
  EXPECT_EQ(at_server_.secured, 1);
  EXPECT_EQ(at_client_.secured, 1);
}

// What was read off the socket lies inside of OpenSSL: no watch of the socket tells of it.
TEST_F(ConnectionTlsTest, WhatLiesInsideComesWhenReadingIsResumed) {
  open_both({.max_read_per_turn_bytes = 100});
  at_server_.then = [this] { server_->pause_reading(); };
  const std::string text = long_text(1000);
  client_->send(text);
  std::size_t times = 0;
  while (at_server_.bytes.size() < text.size() && ++times < 50) {
    const std::size_t before = at_server_.bytes.size();
    carry_until([&] { return at_server_.bytes.size() > before; });
    EXPECT_EQ(at_server_.bytes.size(), before + 100);
    run_turns(loop_, 3);
    ASSERT_EQ(at_server_.bytes.size(), before + 100) << "read although paused";
    server_->resume_reading();
  }
  EXPECT_EQ(at_server_.bytes, text);
}

TEST_F(ConnectionTlsTest, ReadsNoMoreInATurnThanItIsTold) {
  open_both({.max_read_per_turn_bytes = 100});
  shake_hands();
  int turn = 0;
  std::vector<int> turns;
  loop_.on_turn([&](Duration) { ++turn; });
  at_server_.then = [&] { turns.push_back(turn); };
  client_->send(long_text(1000));
  carry_until([this] { return at_server_.bytes.size() == 1000; });
  loop_.on_turn([](Duration) {});
  ASSERT_EQ(turns.size(), 10u);
  for (std::size_t i = 1; i < turns.size(); ++i) EXPECT_LT(turns[i - 1], turns[i]);
}

TEST_F(ConnectionTlsTest, ManySmallPiecesOfATurnAreOneRecord) {
  open_both();
  shake_hands();
  to_client_.clear();
  const auto shared = std::make_shared<const Bytes>(Bytes(3000, 's'));
  std::string expected;
  for (int i = 0; i < 4; ++i) {
    server_->send("small");
    server_->send(shared);
    expected += "small" + *shared;
  }
  carry_until([&] { return at_client_.bytes == expected; });
  EXPECT_EQ(record_types(to_client_), (std::vector<int>{23}));
}

TEST_F(ConnectionTlsTest, AClientThatDoesNotReadIsPressureAndLosesNothing) {
  open_both({.high_mark_bytes = 300'000,
             .low_mark_bytes = 10'000,
             .hard_limit_bytes = 2'000'000,
             .totals = &totals_});
  shake_hands();
  const std::string text = long_text(1'500'000);
  EXPECT_EQ(server_->send(text), SendResult::kBackpressure);
  EXPECT_EQ(server_->send(Bytes(600'000, 'x')), SendResult::kDropped);
  run_turns(loop_, 3);
  EXPECT_EQ(at_server_.drained, 0);
  EXPECT_GT(server_->queued_bytes(), 1'000'000u);
  EXPECT_EQ(totals_.queued_bytes, server_->queued_bytes());
  carry_until([&] { return at_client_.bytes.size() == text.size(); }, 5000);
  EXPECT_EQ(at_client_.bytes, text);
  EXPECT_EQ(at_server_.drained, 1);
  EXPECT_EQ(server_->queued_bytes(), 0u);
  EXPECT_EQ(totals_.bytes_out, text.size());
}

// The record that the socket did not take is made of the first bytes of the queue; more come
// behind.
TEST_F(ConnectionTlsTest, WhatIsSentWhileARecordWaitsComesBehindIt) {
  open_both({.high_mark_bytes = 1'000'000});
  shake_hands();
  std::string expected;
  for (int i = 0; i < 60; ++i) {
    const std::string piece = long_text(std::size_t(500 + 997 * i % 4000));
    server_->send(piece);
    expected += piece;
    run_turns(loop_, 1);
  }
  carry_until([&] { return at_client_.bytes.size() == expected.size(); }, 3000);
  EXPECT_EQ(at_client_.bytes, expected);
}

TEST_F(ConnectionTlsTest, LastWordsAndAGoodbyeComeBehindTheQueue) {
  open_both({.high_mark_bytes = 1'000'000});
  shake_hands();
  const std::string text = long_text(200'000);
  server_->send(text);
  server_->close_after_flush("last words", std::chrono::seconds(10));
  EXPECT_EQ(server_->send("too late"), SendResult::kDropped);
  carry_until([&] { return !at_client_.closed.empty() && !at_server_.closed.empty(); }, 5000);
  EXPECT_EQ(at_client_.bytes, text + "last words");
  EXPECT_EQ(at_client_.closed, (std::vector{CloseCause::kPeerClosed}));
  EXPECT_EQ(at_server_.closed, (std::vector{CloseCause::kOurs}));
}

TEST_F(ConnectionTlsTest, APeerThatTakesNothingIsNotWaitedForLongerThanTheDeadline) {
  open_both({.high_mark_bytes = 1'000'000});
  shake_hands();
  server_->send(long_text(500'000));
  server_->close_after_flush("last words", std::chrono::milliseconds(50));
  run_until(loop_, [this] { return !at_server_.closed.empty(); });
  EXPECT_EQ(at_server_.closed, (std::vector{CloseCause::kFlushTimeout}));
}

TEST_F(ConnectionTlsTest, AClosureInTheMiddleOfAHandshakeIsAtOnce) {
  open_both();
  server_->send("nobody will read this");
  carry_until([this] { return !to_server_.empty(); });
  server_->close_after_flush("last words", std::chrono::seconds(10));
  carry_until([this] { return at_client_.closed.size() + at_server_.closed.size() == 2; });
  EXPECT_EQ(at_server_.closed, (std::vector{CloseCause::kOurs}));
  EXPECT_EQ(at_client_.closed, (std::vector{CloseCause::kPeerClosed}));
  EXPECT_EQ(at_client_.bytes, "");
}

TEST_F(ConnectionTlsTest, APeerThatGoesInTheMiddleOfAHandshakeIsGone) {
  open_both();
  carry_until([this] { return !to_server_.empty(); });
  client_->close_now();
  carry_until([this] { return !at_server_.closed.empty(); });
  EXPECT_EQ(at_server_.closed, (std::vector{CloseCause::kPeerClosed}));
  run_turns(loop_, 3);
  EXPECT_EQ(at_server_.closed.size(), 1u);
}

TEST_F(ConnectionTlsTest, APeerThatEndsWithoutAGoodbyeHasClosed) {
  open_both();
  shake_hands();
  client_->send("the last");
  carry_until([this] { return at_server_.bytes == "the last"; });
  ::shutdown(server_wire_.get(), SHUT_WR);
  run_until(loop_, [this] { return !at_server_.closed.empty(); });
  EXPECT_EQ(at_server_.closed, (std::vector{CloseCause::kPeerClosed}));
}

TEST_F(ConnectionTlsTest, PlainTextIsNoHandshake) {
  open_server_end();
  const std::string frame("MT\1\0\0\1\0\0\0\0\0\1\0\0\0\0", 16);
  ASSERT_EQ(::send(server_wire_.get(), frame.data(), frame.size(), 0), ssize_t(frame.size()));
  run_until(loop_, [this] { return !at_server_.closed.empty(); });
  EXPECT_EQ(at_server_.closed, (std::vector{CloseCause::kHandshakeFailed}));
  EXPECT_EQ(server_->tls()->why(), "not a handshake");
}

// Memory is set aside for as much as the header announces.
TEST_F(ConnectionTlsTest, AHelloOfUnreasonableSizeIsRefusedByItsHeader) {
  for (const bool fits : {true, false}) {
    SCOPED_TRACE(fits);
    at_server_.closed.clear();
    open_server_end();
    const std::size_t size = kMaxClientHelloBytes + (fits ? 0 : 1);
    const std::string header{22, 3, 1, 2, 0, 1, char(size >> 16), char(size >> 8), char(size)};
    ASSERT_EQ(::send(server_wire_.get(), header.data(), header.size(), 0), ssize_t(header.size()));
    if (fits) {
      run_turns(loop_, 5);
      EXPECT_TRUE(at_server_.closed.empty());
    } else {
      run_until(loop_, [this] { return !at_server_.closed.empty(); });
      EXPECT_EQ(at_server_.closed, (std::vector{CloseCause::kHandshakeFailed}));
    }
  }
}

TEST_F(ConnectionTlsTest, AChangedRecordEndsTheConnection) {
  open_both();
  shake_hands();
  client_->send("hello");
  run_turns(loop_, 2);
  std::string record = read_available(client_wire_.get());
  ASSERT_GT(record.size(), 10u);
  record[9] = char(record[9] ^ 1);
  ASSERT_GT(::send(server_wire_.get(), record.data(), record.size(), 0), 0);
  run_until(loop_, [this] { return !at_server_.closed.empty(); });
  EXPECT_EQ(at_server_.closed, (std::vector{CloseCause::kPeerFailed}));
  EXPECT_EQ(at_server_.bytes, "");
}

TEST_F(ConnectionTlsTest, AServerThatNobodyVouchesForIsRefused) {
  const auto other = test::make_certificate(directory_ + "/other", "DNS:edge.test");
  tls_client_ = std::move(*TlsClient::open({other.file, "edge.test"}));
  open_both();
  client_->send("a secret");
  carry_until([this] { return at_client_.closed.size() + at_server_.closed.size() == 2; });
  EXPECT_EQ(at_client_.closed, (std::vector{CloseCause::kHandshakeFailed}));
  EXPECT_NE(client_->tls()->why().find("certificate verify failed"), std::string::npos);
  EXPECT_EQ(at_server_.bytes, "");
}

TEST_F(ConnectionTlsTest, AServerOfAnotherNameIsRefused) {
  tls_client_ = open_client("another.test");
  open_both();
  carry_until([this] { return !at_client_.closed.empty(); });
  EXPECT_EQ(at_client_.closed, (std::vector{CloseCause::kHandshakeFailed}));
  EXPECT_NE(client_->tls()->why().find("ostname mismatch"), std::string::npos);
}

TEST_F(ConnectionTlsTest, SoManyHandshakesATurnAndAllInTheEnd) {
  constexpr std::size_t kClients = 5 * kMaxHandshakesPerTurn;
  tls_server_ = open_server();
  tls_client_ = open_client();
  TlsRecorder servers;
  TlsRecorder clients;
  std::vector<std::unique_ptr<Connection>> all;
  for (std::size_t i = 0; i < kClients; ++i) {
    SocketPair pair = make_socket_pair();
    all.push_back(std::make_unique<Connection>(loop_, std::move(pair.ours), ConnectionOptions(),
                                               servers, tls_server_->accept()));
    all.push_back(std::make_unique<Connection>(loop_, std::move(pair.peer), ConnectionOptions(),
                                               clients, tls_client_->connect("127.0.0.1")));
  }
  run_until(loop_, [&] { return servers.secured == int(kClients); });
  EXPECT_TRUE(servers.closed.empty());
}

}  // namespace
}  // namespace martlet::net
