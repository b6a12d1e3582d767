#include <gtest/gtest.h>

#include "lib/nats/native/link.h"
#include "support/run_loop.h"
#include "support/socket_pair.h"

namespace martlet::nats::native {
namespace {

constexpr std::size_t kMaxBacklogBytes = 256 * 1024;

// A link to a broker that is this test. It reads when it is told to.
class NatsLinkTest : public testing::Test {
 protected:
  NatsLinkTest() { link_.start(); }

  void broker_says(std::string_view text) {
    ASSERT_EQ(::send(sockets_.peer.get(), text.data(), text.size(), 0),
              static_cast<ssize_t>(text.size()));
  }
  std::string broker_reads() { return test::read_available(sockets_.peer.get()); }
  Opened opened() { return {std::move(sockets_.ours), nullptr, {}, {}}; }

  event::Loop loop_;
  test::SocketPair sockets_ = test::make_socket_pair();
  Link link_{{loop_,
              std::make_shared<InboundQueue>(QueueLimits(), [] {}),
              {},
              [](SubscriptionId) { return std::nullopt; },
              kMaxBacklogBytes},
             opened()};
  const Bytes words_ = Bytes(4000, 'x');
};

TEST_F(NatsLinkTest, AFullBacklogRefusesWordsAndStillAnswersPings) {
  while (link_.send(words_)) continue;
  EXPECT_LE(link_.backlog_bytes(), kMaxBacklogBytes);
  broker_says("PING\r\n");
  const std::size_t before = link_.backlog_bytes();
  ASSERT_TRUE(test::run_until(
      loop_, [&] { return !link_.is_connected() || link_.backlog_bytes() != before; }));
  EXPECT_TRUE(link_.is_connected());
  EXPECT_FALSE(link_.send(words_));
  std::string read;
  ASSERT_TRUE(test::run_until(loop_, [&] {
    read += broker_reads();
    return read.ends_with("PONG\r\n");
  }));
  EXPECT_TRUE(link_.send(words_));
}

TEST_F(NatsLinkTest, ATurnMaySayMoreThanMayWaitIfTheBrokerReads) {
  std::size_t read = 0;
  for (std::size_t said = 0; said < 4 * kMaxBacklogBytes; said += words_.size()) {
    ASSERT_TRUE(link_.send(words_)) << "after " << said << " bytes, " << read << " read";
    read += broker_reads().size();
  }
}

}  // namespace
}  // namespace martlet::nats::native
