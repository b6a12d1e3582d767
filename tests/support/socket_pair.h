#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>

#include "net/fd.h"

namespace martlet::test {

struct SocketPair {
  net::UniqueFd ours;
  net::UniqueFd peer;
};

// Both ends non-blocking, with buffers of about `buffer_bytes`.
inline SocketPair make_socket_pair(int buffer_bytes = 16 * 1024) {
  int fds[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  for (const int fd : fds) {
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
  }
  return {net::UniqueFd(fds[0]), net::UniqueFd(fds[1])};
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

}  // namespace martlet::test
