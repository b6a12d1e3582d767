#include "net/address_range.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace martlet::net {
namespace {

constexpr unsigned kBits = 128;
constexpr unsigned kMappedBits = 96;
constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

tl::unexpected<Error> wrong() {
  return fail(ErrorCode::kBadContent, "must be ADDRESS or ADDRESS/BITS, without bits behind those");
}

std::optional<unsigned> parse_length(std::string_view text, unsigned max) {
  unsigned length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size() || length > max) return std::nullopt;
  return length;
}

unsigned bit(const std::array<std::uint8_t, 16>& bits, unsigned index) {
  return bits[index / 8] >> (7 - index % 8) & 1U;
}

}  // namespace

Result<AddressRange> AddressRange::parse(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::string host(text.substr(0, slash));
  const bool is_v4 = host.find(':') == std::string::npos;
  AddressRange range;
  std::copy(kMapped.begin(), kMapped.end(), range.first_.begin());
  std::uint8_t* const to = range.first_.data() + (is_v4 ? kMapped.size() : 0);
  if (::inet_pton(is_v4 ? AF_INET : AF_INET6, host.c_str(), to) != 1) return wrong();
  const unsigned before = is_v4 ? kMappedBits : 0;
  range.length_ = kBits;
  if (slash < text.size()) {
    const auto length = parse_length(text.substr(slash + 1), kBits - before);
    if (!length) return wrong();
    range.length_ = before + *length;
  }
  for (unsigned i = range.length_; i < kBits; ++i) {
    if (bit(range.first_, i) != 0) return wrong();
  }
  return range;
}

bool AddressRange::bits_of(const SocketAddress& address, Bits& bits) {
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address.storage, sizeof v4);
    std::copy(kMapped.begin(), kMapped.end(), bits.begin());
    std::memcpy(bits.data() + kMapped.size(), &v4.sin_addr, sizeof v4.sin_addr);
    return true;
  }
  if (address.storage.ss_family != AF_INET6) return false;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address.storage, sizeof v6);
  std::memcpy(bits.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
  return true;
}

bool AddressRange::contains(const SocketAddress& address) const {
  Bits bits{};
  if (!bits_of(address, bits)) return false;
  for (unsigned i = 0; i < length_; ++i) {
    if (bit(bits, i) != bit(first_, i)) return false;
  }
  return true;
}

bool any_contains(const std::vector<AddressRange>& ranges, const SocketAddress& address) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const AddressRange& range) { return range.contains(address); });
}

}  // namespace martlet::net
