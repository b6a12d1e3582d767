#include "net/connection.h"

#include <gtest/gtest.h>

#include <optional>

#include "loop_test_support.h"

namespace martlet::net {
namespace {

using std::chrono::milliseconds;

struct Recorder : ConnectionListener {
  std::string bytes;
  std::vector<std::size_t> chunks;
  int drained = 0;
  std::vector<CloseCause> closed;
  std::function<void()> then;

  void on_bytes(BytesView chunk) override {
    bytes.append(chunk);
    chunks.push_back(chunk.size());
    if (then) then();
  }
  void on_drained() override { ++drained; }
  void on_closed(CloseCause cause) override { closed.push_back(cause); }
};

class ConnectionTest : public testing::Test {
 protected:
  void open(ConnectionOptions options = {}) {
    SocketPair pair = make_socket_pair();
    peer_ = std::move(pair.peer);
    options.totals = &totals_;
    connection_ = std::make_unique<Connection>(loop_, std::move(pair.ours), options, recorder_);
  }
  void peer_writes(std::string_view text) {
    ASSERT_EQ(::send(peer_.get(), text.data(), text.size(), 0), ssize_t(text.size()));
  }
  // Reads at the peer's end until the connection has nothing left to write.
  std::string read_all() {
    std::string result;
    run_until(loop_, [&] {
      result += read_available(peer_.get());
      return connection_->queued_bytes() == 0;
    });
    return result + read_available(peer_.get());
  }

  event::Loop loop_;
  Recorder recorder_;
  ConnectionTotals totals_;
  UniqueFd peer_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ConnectionTest, ReadsNoMoreInATurnThanItIsTold) {
  open({.max_read_per_turn_bytes = 100});
  connection_->read_at_most(10);
  peer_writes(std::string(25, 'x'));
  run_until(loop_, [&] { return recorder_.bytes.size() == 25; });
  EXPECT_EQ(recorder_.chunks, (std::vector<std::size_t>{10, 10, 5}));
  connection_->read_at_most(100);
  peer_writes(std::string(25, 'x'));
  run_until(loop_, [&] { return recorder_.bytes.size() == 50; });
  EXPECT_EQ(recorder_.chunks.back(), 25u);
}

TEST_F(ConnectionTest, HandsOverWhatThePeerWrote) {
  open();
  peer_writes("hello");
  run_until(loop_, [&] { return recorder_.bytes == "hello"; });
  EXPECT_EQ(totals_.bytes_in, 5u);
}

TEST_F(ConnectionTest, ReadsAtMostTheLimitInOneTurn) {
  open({.max_read_per_turn_bytes = 100});
  peer_writes(std::string(1000, 'x'));
  run_until(loop_, [&] { return recorder_.bytes.size() == 1000; });
  for (const std::size_t chunk : recorder_.chunks) EXPECT_LE(chunk, 100u);
}

TEST_F(ConnectionTest, WritesNothingBeforeTheTurnEnds) {
  open();
  EXPECT_EQ(connection_->send("a"), SendResult::kOk);
  EXPECT_EQ(connection_->send("b"), SendResult::kOk);
  EXPECT_EQ(read_available(peer_.get()), "");
  EXPECT_EQ(read_all(), "ab");
}

TEST_F(ConnectionTest, KeepsTheOrderOfOwnAndSharedBytes) {
  open({.high_mark_bytes = 1 << 20});
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const auto shared = std::make_shared<const Bytes>(Bytes(3000, char('a' + i % 26)));
    connection_->send(shared);
    connection_->send(std::to_string(i));
    expected += *shared + std::to_string(i);
  }
  EXPECT_EQ(read_all(), expected);
}

TEST_F(ConnectionTest, DoesNotCopyLargeSharedBytes) {
  open({.high_mark_bytes = 1 << 20});
  const auto shared = std::make_shared<const Bytes>(Bytes(100'000, 'x'));
  connection_->send(shared);
  EXPECT_EQ(shared.use_count(), 2);
}

TEST_F(ConnectionTest, TellsBackpressureAboveTheHighMarkAndDrainedAtTheLowMark) {
  open({.high_mark_bytes = 1'000'000, .low_mark_bytes = 10'000});
  EXPECT_EQ(connection_->send(Bytes(600'000, 'x')), SendResult::kOk);
  EXPECT_EQ(connection_->send(Bytes(900'000, 'x')), SendResult::kBackpressure);
  run_turns(loop_, 3);
  EXPECT_EQ(recorder_.drained, 0);
  EXPECT_EQ(read_all().size(), 1'500'000u);
  EXPECT_EQ(recorder_.drained, 1);
  EXPECT_EQ(connection_->send("x"), SendResult::kOk);
}

TEST_F(ConnectionTest, DropsWhatWouldPassTheHardLimit) {
  constexpr std::size_t kLimit = 1'000'000;
  open({.high_mark_bytes = 1000, .low_mark_bytes = 100, .hard_limit_bytes = kLimit});
  EXPECT_EQ(connection_->send(Bytes(kLimit, 'x')), SendResult::kBackpressure);
  const std::size_t left = connection_->queued_bytes();
  EXPECT_EQ(connection_->send(Bytes(kLimit - left + 1, 'y')), SendResult::kDropped);
  EXPECT_EQ(connection_->queued_bytes(), left);
  EXPECT_EQ(connection_->send(Bytes(kLimit - left, 'y')), SendResult::kBackpressure);
  EXPECT_EQ(connection_->queued_bytes(), kLimit);
}

// A turn may send more than the mark to a peer that reads: only what the socket does not take
// counts.
TEST_F(ConnectionTest, AboveTheMarkTheSocketIsOfferedWhatWaits) {
  open({.high_mark_bytes = 10'000, .low_mark_bytes = 1000});
  std::string got;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(connection_->send(Bytes(6000, 'x')), SendResult::kOk) << i;
    got += read_available(peer_.get());
  }
  EXPECT_EQ(got.size() + connection_->queued_bytes(), 600'000u);
  EXPECT_EQ(recorder_.drained, 0);
}

TEST_F(ConnectionTest, APausedConnectionLeavesTheBytesInTheSocket) {
  open();
  connection_->pause_reading();
  peer_writes("later");
  run_turns(loop_, 3);
  EXPECT_EQ(recorder_.bytes, "");
  connection_->resume_reading();
  run_until(loop_, [&] { return recorder_.bytes == "later"; });
}

TEST_F(ConnectionTest, PausingInsideOnBytesLosesNothing) {
  open({.max_read_per_turn_bytes = 10});
  recorder_.then = [&] { connection_->pause_reading(); };
  peer_writes("0123456789abcdef");
  run_turns(loop_, 3);
  EXPECT_EQ(recorder_.bytes, "0123456789");
  connection_->resume_reading();
  run_until(loop_, [&] { return recorder_.bytes == "0123456789abcdef"; });
}

TEST_F(ConnectionTest, ThePeersEndIsToldOnce) {
  open();
  peer_.reset();
  run_until(loop_, [&] { return !recorder_.closed.empty(); });
  run_turns(loop_, 3);
  EXPECT_EQ(recorder_.closed, std::vector{CloseCause::kPeerClosed});
}

TEST_F(ConnectionTest, CloseNowTellsTheOwnerLaterAndTakesNothingMore) {
  open();
  connection_->close_now();
  EXPECT_TRUE(recorder_.closed.empty());
  EXPECT_EQ(connection_->send("x"), SendResult::kDropped);
  run_until(loop_, [&] { return !recorder_.closed.empty(); });
  EXPECT_EQ(recorder_.closed, std::vector{CloseCause::kOurs});
}

TEST_F(ConnectionTest, LastWordsArriveEvenAboveTheHardLimitAndWithUnreadInput) {
  open({.high_mark_bytes = 1000, .low_mark_bytes = 100, .hard_limit_bytes = 50'000});
  connection_->pause_reading();
  peer_writes("never read");
  connection_->send(Bytes(50'000, 'x'));
  connection_->close_after_flush("bye", std::chrono::seconds(5));
  const std::string got = read_all();
  EXPECT_EQ(got.size(), 50'003u);
  EXPECT_TRUE(got.ends_with("bye"));
  EXPECT_TRUE(recorder_.closed.empty()) << "waits for the peer's end";
  peer_.reset();
  run_until(loop_, [&] { return !recorder_.closed.empty(); });
  EXPECT_EQ(recorder_.closed, std::vector{CloseCause::kOurs});
  EXPECT_EQ(recorder_.bytes, "");
}

TEST_F(ConnectionTest, APeerThatDoesNotTakeTheRestIsLeftAtTheDeadline) {
  open();
  connection_->send(Bytes(200'000, 'x'));
  connection_->close_after_flush("bye", milliseconds(20));
  run_until(loop_, [&] { return !recorder_.closed.empty(); });
  EXPECT_EQ(recorder_.closed, std::vector{CloseCause::kFlushTimeout});
}

TEST_F(ConnectionTest, WritingToADeadPeerFailsTheConnection) {
  open();
  connection_->pause_reading();
  peer_.reset();
  connection_->send("x");
  run_until(loop_, [&] { return !recorder_.closed.empty(); });
  EXPECT_EQ(recorder_.closed, std::vector{CloseCause::kPeerFailed});
}

TEST_F(ConnectionTest, DestroyedWithASendPendingIsHarmless) {
  open();
  connection_->send("x");
  connection_.reset();
  run_turns(loop_, 3);
  EXPECT_EQ(totals_.queued_bytes, 0u);
}

}  // namespace
}  // namespace martlet::net
