#include "net/address.h"

#include <netdb.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>
#include <memory>

namespace martlet::net {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

std::string Address::str() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool v6 = host.find(':') != std::string_view::npos;
  if (v6 != bracketed || host.find_first_of("[]") != std::string_view::npos) return std::nullopt;
  return Address{std::string(host), *port};
}

Address SocketAddress::address() const {
  char host[NI_MAXHOST] = {};
  char port[NI_MAXSERV] = {};
  const int flags = NI_NUMERICHOST | NI_NUMERICSERV;
  if (::getnameinfo(raw(), size, host, sizeof host, port, sizeof port, flags) != 0) return {};
  return {host, parse_port(port).value_or(0)};
}

Result<SocketAddress> resolve(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const int error = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) {
    return fail(ErrorCode::kUnavailable, address.host + ": " + ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> keep(found, &::freeaddrinfo);
  SocketAddress result;
  std::memcpy(&result.storage, found->ai_addr, found->ai_addrlen);
  result.size = found->ai_addrlen;
  return result;
}

SocketAddress local_address(int fd) {
  SocketAddress result;
  result.size = sizeof result.storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&result.storage), &result.size) != 0) return {};
  return result;
}

SocketAddress peer_address(int fd) {
  SocketAddress result;
  result.size = sizeof result.storage;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&result.storage), &result.size) != 0) return {};
  return result;
}

}  // namespace martlet::net
