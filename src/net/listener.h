#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.h"
#include "event/loop.h"
#include "net/address.h"
#include "net/fd.h"

namespace martlet::net {

struct ListenerOptions {
  int backlog = 1024;
  // The rest waits for the next turn, so that a storm of connects does not starve the others.
  int max_accepts_per_turn = 64;
  // Without free descriptors: stop asking for so long instead of spinning.
  Duration pause_without_fds = std::chrono::milliseconds(100);
  // The kernel takes no more for a peer that does not read than this beyond what is on its way;
  // without it, up to some megabytes for each connection.
  int max_unsent_bytes = 128 * 1024;
};

// A listening TCP socket. Loop thread; the loop must outlive it. Accepted sockets are non-blocking,
// close-on-exec, and without Nagle's delay.
class Listener {
 public:
  using Accepted = std::function<void(UniqueFd)>;

  // Port 0: the system chooses. Fails if the address can't be resolved or bound.
  static Result<std::unique_ptr<Listener>> open(event::Loop& loop, const Address& address,
                                                ListenerOptions options, Accepted accepted);

  // Numeric, with the real port.
  Address address() const { return local_address(fd_.get()).address(); }
  // How often accepting stopped because the process or the system had no descriptor left.
  std::uint64_t pauses() const { return pauses_; }

 private:
  Listener(event::Loop& loop, UniqueFd fd, ListenerOptions options, Accepted accepted);
  void accept_some();
  void pause();

  UniqueFd fd_;
  ListenerOptions options_;
  Accepted accepted_;
  std::uint64_t pauses_ = 0;
  event::SocketWatch watch_;
  event::Timer resume_;
};

}  // namespace martlet::net
