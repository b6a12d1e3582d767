#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "net/address.h"

namespace martlet::net {

// Where a peer is, as far as it can be told apart from others: an IPv4 address, or the first 64
// bits of an IPv6 address, since whoever has one of those usually has all of the rest.
struct Network {
  int family = 0;  // 0: neither of them
  std::uint64_t prefix = 0;
  friend bool operator==(const Network&, const Network&) = default;
};

// An IPv4 address inside an IPv6 one counts as what it is.
Network network_of(const SocketAddress& address);

}  // namespace martlet::net

template <>
struct std::hash<martlet::net::Network> {
  std::size_t operator()(const martlet::net::Network& network) const noexcept {
    return std::hash<std::uint64_t>()(network.prefix * 31 + std::uint64_t(network.family));
  }
};
