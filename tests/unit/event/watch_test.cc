#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "event/loop.h"

namespace martlet::event {
namespace {

class SocketWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds_), 0);
    deadline_.start_once(std::chrono::seconds(10));
  }
  void TearDown() override {
    ::close(fds_[0]);
    ::close(fds_[1]);
  }
  void write_to_peer() { ASSERT_EQ(::write(fds_[1], "x", 1), 1); }

  Loop loop_;
  Timer deadline_{loop_, [this] {
                    ADD_FAILURE() << "nothing happened";
                    loop_.stop();
                  }};
  int fds_[2] = {-1, -1};
};

TEST_F(SocketWatchTest, TellsReadable) {
  bool is_readable = false;
  bool is_writable = true;
  SocketWatch watch(loop_, fds_[0], [&](bool readable, bool writable) {
    is_readable = readable;
    is_writable = writable;
    loop_.stop();
  });
  watch.want(true, false);
  write_to_peer();
  loop_.run();
  EXPECT_TRUE(is_readable);
  EXPECT_FALSE(is_writable);
}

TEST_F(SocketWatchTest, TellsWritable) {
  bool is_writable = false;
  SocketWatch watch(loop_, fds_[0], [&](bool, bool writable) {
    is_writable = writable;
    loop_.stop();
  });
  watch.want(false, true);
  loop_.run();
  EXPECT_TRUE(is_writable);
}

TEST_F(SocketWatchTest, RepeatsWhileNobodyReads) {
  int calls = 0;
  SocketWatch watch(loop_, fds_[0], [&](bool, bool) {
    if (++calls == 3) loop_.stop();
  });
  watch.want(true, false);
  write_to_peer();
  loop_.run();
  EXPECT_GE(calls, 3);
}

TEST_F(SocketWatchTest, TellsThatThePeerIsGone) {
  bool is_readable = false;
  SocketWatch watch(loop_, fds_[0], [&](bool readable, bool) {
    is_readable = readable;
    loop_.stop();
  });
  watch.want(true, false);
  ::shutdown(fds_[1], SHUT_RDWR);
  loop_.run();
  EXPECT_TRUE(is_readable);
}

TEST_F(SocketWatchTest, UnwantedIsSilent) {
  int calls = 0;
  SocketWatch watch(loop_, fds_[0], [&](bool, bool) { ++calls; });
  watch.want(true, true);
  watch.want(false, false);
  write_to_peer();
  Timer end(loop_, [this] { loop_.stop(); });
  end.start_once(std::chrono::milliseconds(10));
  loop_.run();
  EXPECT_EQ(calls, 0);
}

TEST_F(SocketWatchTest, MayBeDestroyedInItsCallback) {
  std::unique_ptr<SocketWatch> watch;
  watch = std::make_unique<SocketWatch>(loop_, fds_[0], [&](bool, bool) {
    watch.reset();
    loop_.stop();
  });
  watch->want(true, true);
  write_to_peer();
  loop_.run();
  EXPECT_EQ(watch, nullptr);
}

TEST(SignalWatch, CallsBackInTheLoop) {
  Loop loop;
  int signals = 0;
  SignalWatch watch(loop, SIGUSR1, [&] {
    EXPECT_TRUE(loop.is_inside());
    ++signals;
    loop.stop();
  });
  loop.post([] { std::raise(SIGUSR1); });
  loop.run();
  EXPECT_EQ(signals, 1);
}

}  // namespace
}  // namespace martlet::event
