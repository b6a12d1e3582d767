#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/sockets/frames.h"
#include "net/fd.h"

namespace martlet::bench {

// Connected sockets and one epoll: one read of a socket that has something, one write of a socket
// that gets something, in each turn, whatever the number of frames. One thread; wake() any.
class SocketSet {
 public:
  using OnFrame = std::function<void(std::uint32_t socket, const Tag& tag)>;

  explicit SocketSet(OnFrame on_frame);

  // They are numbered 0, 1, 2 …
  void add(net::UniqueFd fd);
  // Goes with the end of the turn.
  void write(std::uint32_t socket, const Tag& tag);
  // Waits until there is something to read or to write, or somebody wakes it: reads it. What is to
  // be written goes with flush().
  void read();
  void flush();
  void wake() const;

 private:
  struct Socket {
    net::UniqueFd fd;
    std::string in;  // the begin of a frame
    std::string out;
    bool is_dirty = false;
    bool wants_write = false;
  };

  void watch(int operation, std::uint32_t number, bool for_writing);
  void read_socket(std::uint32_t number);
  std::size_t take_frames(std::uint32_t number, const char* data, std::size_t size);
  void flush_socket(std::uint32_t number);

  OnFrame on_frame_;
  net::UniqueFd epoll_;
  net::UniqueFd waker_;
  std::vector<Socket> sockets_;
  std::vector<std::uint32_t> dirty_;
};

}  // namespace martlet::bench
