#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace martlet::net {

// Neighbouring addresses: "10.0.0.0/8", "fd00::/8", or a single one. An IPv4 address inside an IPv6
// one counts as what it is.
class AddressRange {
 public:
  // The error says what is allowed.
  static Result<AddressRange> parse(std::string_view text);
  bool contains(const SocketAddress& address) const;

 private:
  // As IPv6; IPv4 as ::ffff:a.b.c.d.
  using Bits = std::array<std::uint8_t, 16>;
  static bool bits_of(const SocketAddress& address, Bits& bits);

  Bits first_{};
  unsigned length_ = 0;  // of the common prefix, in bits
};

bool any_contains(const std::vector<AddressRange>& ranges, const SocketAddress& address);

}  // namespace martlet::net
