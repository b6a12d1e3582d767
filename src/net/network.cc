#include "net/network.h"

#include <netinet/in.h>

#include <cstring>
#include <span>

namespace martlet::net {
namespace {

constexpr std::size_t kPrefixBytes = 8;
constexpr std::size_t kMappedOffset = 12;  // of the IPv4 address in ::ffff:a.b.c.d

std::uint64_t number(std::span<const std::uint8_t> bytes) {
  std::uint64_t result = 0;
  for (const std::uint8_t byte : bytes) result = result << 8 | byte;
  return result;
}

}  // namespace

Network network_of(const SocketAddress& address) {
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address.storage, sizeof v4);
    return {AF_INET, ntohl(v4.sin_addr.s_addr)};
  }
  if (address.storage.ss_family != AF_INET6) return {};
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address.storage, sizeof v6);
  const std::span<const std::uint8_t> bytes(v6.sin6_addr.s6_addr);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return {AF_INET, number(bytes.subspan(kMappedOffset))};
  return {AF_INET6, number(bytes.first(kPrefixBytes))};
}

}  // namespace martlet::net
