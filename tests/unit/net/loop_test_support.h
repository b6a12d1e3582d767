#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <string>

#include "event/loop.h"
#include "net/fd.h"

namespace martlet::net {

// Runs the loop until the condition holds; fails the test after ten seconds.
inline void run_until(event::Loop& loop, const std::function<bool()>& condition) {
  bool timed_out = false;
  event::Timer poll(loop, [&] {
    if (condition()) loop.stop();
  });
  event::Timer deadline(loop, [&] {
    timed_out = true;
    loop.stop();
  });
  poll.start_every(std::chrono::milliseconds(1));
  deadline.start_once(std::chrono::seconds(10));
  loop.run();
  ASSERT_FALSE(timed_out) << "the condition did not come true";
}

// Lets everything that is ready now happen, and what follows from it.
inline void run_turns(event::Loop& loop, int turns) {
  int left = turns;
  run_until(loop, [&] { return --left <= 0; });
}

struct SocketPair {
  UniqueFd ours;
  UniqueFd peer;
};

// Both ends non-blocking, with buffers of about `buffer_bytes`.
inline SocketPair make_socket_pair(int buffer_bytes = 16 * 1024) {
  int fds[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  for (const int fd : fds) {
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
  }
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// What is readable now, at most `limit` bytes.
inline std::string read_available(int fd, std::size_t limit = 1 << 20) {
  std::string result;
  char buffer[4096];
  while (result.size() < limit) {
    const ssize_t got =
        ::recv(fd, buffer, std::min(sizeof buffer, limit - result.size()), MSG_DONTWAIT);
    if (got <= 0) break;
    result.append(buffer, static_cast<std::size_t>(got));
  }
  return result;
}

}  // namespace martlet::net
