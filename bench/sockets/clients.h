#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "bench/latencies.h"
#include "bench/sockets/server.h"

namespace martlet::bench {

// All users: so many messages are under way, the answer of one lets the next go. One thread.
class SocketClients {
 public:
  struct Counts {
    std::uint64_t sent = 0, answered = 0, received = 0;
  };

  explicit SocketClients(const Layout& layout);

  // In the order of the users.
  void add(net::UniqueFd fd) { sockets_.add(std::move(fd)); }
  void begin(std::size_t in_flight);
  // Nothing more is sent.
  void stop() { is_sending_ = false; }
  void turn();
  // Latencies of answers that come from now on count, or do not.
  void measure(bool on) { is_measuring_ = on; }

  const Counts& counts() const { return counts_; }
  const Latencies& latencies() const { return latencies_; }

 private:
  void on_frame(const Tag& tag);
  // Of the next user.
  void send();
  std::uint32_t recipient_of(std::uint32_t user);

  const Layout& layout_;
  SocketSet sockets_;
  SystemClock clock_;
  SeededRandom random_{1};           // the same in each run
  std::vector<std::uint32_t> turn_;  // by user: messages to groups
  bool is_sending_ = true;
  bool is_measuring_ = false;
  Counts counts_;
  Latencies latencies_;
};

}  // namespace martlet::bench
