#include "net/listener.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include "loop_test_support.h"

namespace martlet::net {
namespace {

UniqueFd connect_to(const Address& address) {
  const auto target = resolve(address);
  EXPECT_TRUE(target.has_value());
  UniqueFd fd(::socket(target->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(fd.get(), target->raw(), target->size), 0);
  return fd;
}

class ListenerTest : public testing::Test {
 protected:
  void open(ListenerOptions options = {}) {
    auto opened = Listener::open(loop_, {"127.0.0.1", 0}, options,
                                 [this](UniqueFd fd) { accepted_.push_back(std::move(fd)); });
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    listener_ = std::move(*opened);
  }

  event::Loop loop_;
  std::vector<UniqueFd> accepted_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, TellsTheRealPort) {
  open();
  EXPECT_NE(listener_->address().port, 0);
  EXPECT_EQ(listener_->address().host, "127.0.0.1");
}

TEST_F(ListenerTest, AcceptedSocketsHaveNoDelay) {
  open();
  const UniqueFd client = connect_to(listener_->address());
  run_until(loop_, [&] { return accepted_.size() == 1; });
  int value = 0;
  socklen_t size = sizeof value;
  ::getsockopt(accepted_[0].get(), IPPROTO_TCP, TCP_NODELAY, &value, &size);
  EXPECT_NE(value, 0);
}

// How much the kernel takes for a peer that reads nothing.
std::size_t fill(int fd) {
  const std::string chunk(16 * 1024, 'x');
  std::size_t total = 0;
  while (true) {
    const ssize_t sent = ::send(fd, chunk.data(), chunk.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0) return total;
    total += static_cast<std::size_t>(sent);
  }
}

TEST_F(ListenerTest, TheKernelKeepsLittleForAPeerThatDoesNotRead) {
  open({.max_unsent_bytes = 32 * 1024});
  const UniqueFd client = connect_to(listener_->address());
  run_until(loop_, [&] { return accepted_.size() == 1; });
  // Again after a while: the kernel may have sent some of it, and got more room, meanwhile.
  std::size_t total = 0;
  for (int i = 0; i < 20; ++i) {
    total += fill(accepted_[0].get());
    run_turns(loop_, 5);
  }
  EXPECT_LT(total, 1024u * 1024);
}

TEST_F(ListenerTest, AcceptsAllInSeveralTurns) {
  open({.max_accepts_per_turn = 2});
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 15; ++i) clients.push_back(connect_to(listener_->address()));
  run_until(loop_, [&] { return accepted_.size() == 15; });
}

TEST_F(ListenerTest, ATakenPortIsAnErrorThatNamesIt) {
  open();
  const auto second = Listener::open(loop_, listener_->address(), {}, [](UniqueFd) {});
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().detail.find(listener_->address().str()), std::string::npos);
}

TEST_F(ListenerTest, WithoutDescriptorsItPausesInsteadOfSpinning) {
  open({.pause_without_fds = std::chrono::milliseconds(20)});
  const UniqueFd client = connect_to(listener_->address());
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{0, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  run_until(loop_, [&] { return listener_->pauses() >= 2; });
  EXPECT_TRUE(accepted_.empty());
  ::setrlimit(RLIMIT_NOFILE, &before);
  run_until(loop_, [&] { return accepted_.size() == 1; });
  EXPECT_LT(listener_->pauses(), 100u);
}

TEST(Address, IsParsedAndPrinted) {
  EXPECT_EQ(parse_address("127.0.0.1:80"), (Address{"127.0.0.1", 80}));
  EXPECT_EQ(parse_address("[::1]:80"), (Address{"::1", 80}));
  EXPECT_EQ((Address{"::1", 80}).str(), "[::1]:80");
}

TEST(Address, RefusesWhatIsNone) {
  for (const char* text : {"", ":80", "host", "host:", "host:65536", "host:-1", "host:8x", "::1:80",
                           "[]:80", "[::1:80"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

}  // namespace
}  // namespace martlet::net
