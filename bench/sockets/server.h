#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "bench/sockets/socket_set.h"

namespace martlet::bench {

// Who is there. User n is at server n % kServers, whose socket n / kServers it has.
struct Layout {
  static constexpr std::uint32_t kServers = 2;

  std::uint32_t users = 1'000;
  std::uint32_t groups = 0;  // 0: one to one
  std::uint32_t size = 0;    // of each group
  FrameSizes sizes;

  std::uint32_t copies() const { return groups == 0 ? 1 : size - 1; }
  // As scripts/martlet_bench/group.py says it: a user is in so many groups, from this one on.
  std::uint32_t first_group(std::uint32_t user) const { return user / 2 % groups; }
  std::uint32_t groups_of_each() const { return groups * size / users; }
};

// What an edge does with the kernel, and nothing else of what it does: takes each frame, answers
// it, and writes an event to whoever is to have it; the other server is told of its share. A thread
// of its own runs it.
class SocketServer {
 public:
  SocketServer(const Layout& layout, std::uint32_t number);
  void set_other(SocketServer& other) { other_ = &other; }

  // Before it runs: in the order of the users.
  void add(net::UniqueFd fd) { sockets_.add(std::move(fd)); }
  void run();
  // Any thread.
  void stop() { stopped_ = true; }

 private:
  void on_frame(std::uint32_t socket, Tag tag);
  void deliver(const Tag& tag);
  bool has(std::uint32_t user) const { return user % Layout::kServers == number_; }
  void tell(std::vector<Tag>& messages);

  const Layout& layout_;
  const std::uint32_t number_;
  SocketSet sockets_;
  SocketServer* other_ = nullptr;
  std::vector<std::vector<std::uint32_t>> members_;  // by group: those of this server
  std::vector<Tag> for_other_;                       // in this turn
  std::mutex lock_;
  std::vector<Tag> inbox_;  // under the lock
  std::atomic<bool> stopped_ = false;
};

}  // namespace martlet::bench
