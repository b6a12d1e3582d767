#include "net/proxy_header.h"

#include <netinet/in.h>

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/assert.h"

namespace martlet::net {
namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::uint8_t kLocal = 0x20;  // version 2 and the command
constexpr std::uint8_t kProxy = 0x21;
// The upper half of the family's byte: where the addresses are of; the lower: the kind of socket.
constexpr std::uint8_t kUnspecified = 0x0;
constexpr std::uint8_t kIpv4 = 0x1;
constexpr std::uint8_t kIpv6 = 0x2;
constexpr std::uint8_t kUnix = 0x3;
constexpr std::uint8_t kStream = 0x1;
// Two addresses, then two ports.
constexpr std::size_t kIpv4Bytes = 12;
constexpr std::size_t kIpv6Bytes = 36;

tl::unexpected<Error> wrong(const char* what) {
  return fail(ErrorCode::kBadContent, what);
}

std::uint8_t byte(BytesView bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

template <class Family>
SocketAddress socket_address(const Family& from) {
  SocketAddress result;
  std::memcpy(&result.storage, &from, sizeof from);
  result.size = sizeof from;
  return result;
}

// The source's address is the first one, its port stands behind both addresses.
SocketAddress ipv4(BytesView addresses) {
  sockaddr_in from{};
  from.sin_family = AF_INET;
  std::memcpy(&from.sin_addr, addresses.data(), 4);
  std::memcpy(&from.sin_port, addresses.data() + 8, 2);
  return socket_address(from);
}

SocketAddress ipv6(BytesView addresses) {
  sockaddr_in6 from{};
  from.sin6_family = AF_INET6;
  std::memcpy(&from.sin6_addr, addresses.data(), 16);
  std::memcpy(&from.sin6_port, addresses.data() + 32, 2);
  return socket_address(from);
}

}  // namespace

Result<std::size_t> proxy_header_size(BytesView fixed) {
  MARTLET_ASSERT(fixed.size() >= kProxyFixedBytes);
  if (!fixed.starts_with(kSignature)) return wrong("no PROXY header of version 2");
  const std::uint8_t command = byte(fixed, 12);
  if (command != kLocal && command != kProxy) return wrong("a PROXY header of another kind");
  const std::size_t size = kProxyFixedBytes + (std::size_t(byte(fixed, 14)) << 8 | byte(fixed, 15));
  if (size > kMaxProxyHeaderBytes) return wrong("a PROXY header that is too long");
  return size;
}

Result<ProxyHeader> parse_proxy_header(BytesView header) {
  if (header.size() < kProxyFixedBytes) return wrong("half of a PROXY header");
  const auto size = proxy_header_size(header);
  if (!size) return tl::unexpected(size.error());
  if (header.size() != *size) return wrong("half of a PROXY header");
  if (byte(header, 12) == kLocal) return ProxyHeader{};
  const std::uint8_t family = byte(header, 13) >> 4;
  const std::uint8_t socket = byte(header, 13) & 0xF;
  if (family == kUnspecified || family == kUnix) return ProxyHeader{};
  if (socket != kStream) return wrong("a PROXY header of something else than a stream");
  const BytesView addresses = header.substr(kProxyFixedBytes);
  if (family == kIpv4 && addresses.size() >= kIpv4Bytes) return ProxyHeader{ipv4(addresses)};
  if (family == kIpv6 && addresses.size() >= kIpv6Bytes) return ProxyHeader{ipv6(addresses)};
  return wrong("a PROXY header without its addresses");
}

}  // namespace martlet::net
