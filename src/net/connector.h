#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/result.h"
#include "event/loop.h"
#include "net/address.h"
#include "net/fd.h"
#include "net/resolver.h"

namespace martlet::net {

// One attempt to connect. Loop thread; the loop must outlive it. Destroying it gives up. The
// time-out holds for the look-up of a name and the connection together.
class Connector {
 public:
  // A connected, non-blocking socket without Nagle's delay, or why there is none.
  using Done = std::function<void(Result<UniqueFd>)>;

  // Calls done once, never from inside the constructor; done may destroy the connector.
  // look_up: for names; tests give their own.
  Connector(event::Loop& loop, const Address& address, Duration timeout, Done done,
            Resolver::LookUp look_up = resolve);

  // Whose ports are used: an address of this machine rather than the one the system would take.
  // Right after the constructor, before the loop goes on.
  void leave_from(const SocketAddress& from) { from_ = from; }

 private:
  void start();
  void connect(const Result<SocketAddress>& to);
  void on_writable();
  void finish(Result<UniqueFd> result);
  tl::unexpected<Error> error(const char* what, int number) const;

  event::Loop& loop_;
  Address address_;
  std::optional<SocketAddress> from_;
  Done done_;
  UniqueFd fd_;
  std::unique_ptr<event::SocketWatch> watch_;
  event::Timer timer_;  // first the start, then the time-out
  bool started_ = false;
  Duration timeout_;
  Resolver resolver_;
};

}  // namespace martlet::net
