#include "config/address.h"

#include <algorithm>
#include <charconv>

namespace martlet::config {
namespace {

constexpr std::size_t kMaxHostBytes = 253;

// Names and IPv4; IPv6, which has colons, and nothing else inside brackets.
bool is_host(std::string_view text, bool bracketed) {
  if (text.empty() || text.size() > kMaxHostBytes) return false;
  if (bracketed && text.find(':') == std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [bracketed](char c) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return word || c == '.' || c == '-' || c == '_' || (bracketed && (c == ':' || c == '%'));
  });
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  const auto wrong = [] {
    return fail(ErrorCode::kBadContent, "must be HOST:PORT, port 0 to 65535");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!is_host(host, bracketed)) return wrong();

  Address address{std::string(host), 0};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return wrong();
  return address;
}

std::string to_string(const Address& address) {
  if (address.empty()) return "";
  const bool bracketed = address.host.find(':') != std::string::npos;
  return (bracketed ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace martlet::config
