#pragma once

#include <functional>

#include "base/bytes.h"
#include "base/result.h"
#include "event/loop.h"
#include "net/fd.h"
#include "net/proxy_header.h"

namespace martlet::net {

// Takes the PROXY header off a socket that was just accepted, and not a byte more. Loop thread; the
// loop outlives it. Destroying it closes the socket.
class ProxyReader {
 public:
  // With the socket; an error: no header came, not in time, or another one than there may be.
  using Done = std::function<void(Result<ProxyHeader>, UniqueFd)>;

  // Calls done once, from the loop; done may give the reader to Loop::defer_delete.
  ProxyReader(event::Loop& loop, UniqueFd fd, Duration timeout, Done done);

 private:
  void on_readable();
  bool fill(std::size_t size);
  void finish(Result<ProxyHeader> result);

  UniqueFd fd_;
  Done done_;
  Bytes header_;
  event::SocketWatch watch_;
  event::Timer timeout_;
};

}  // namespace martlet::net
