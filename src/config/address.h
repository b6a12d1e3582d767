#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace martlet::config {

// HOST:PORT; an IPv6 host stands in brackets: [::1]:7400. Port 0: the system chooses.
struct Address {
  std::string host;  // without brackets; empty: no address
  std::uint16_t port = 0;

  bool empty() const { return host.empty(); }
  friend bool operator==(const Address&, const Address&) = default;
};

Result<Address> parse_address(std::string_view text);
std::string to_string(const Address& address);  // empty for no address

}  // namespace martlet::config
