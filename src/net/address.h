#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace martlet::net {

// Where to listen or to connect: a name or a numeric address, and a port.
struct Address {
  std::string host;
  std::uint16_t port = 0;

  std::string str() const;  // "127.0.0.1:7000", "[::1]:7000"
  bool is_any() const { return host == "0.0.0.0" || host == "::"; }
  friend bool operator==(const Address&, const Address&) = default;
};

// "host:port" or "[v6]:port". Empty if malformed.
std::optional<Address> parse_address(std::string_view text);

// An address as the system calls take it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  Address address() const;  // numeric
};

// Asks the system's resolver and blocks on it: at start-up, or for numeric addresses.
Result<SocketAddress> resolve(const Address& address);
// The local end of a bound socket.
SocketAddress local_address(int fd);
// The other end of a connected one; empty when it is gone already.
SocketAddress peer_address(int fd);

}  // namespace martlet::net
