#pragma once

#include <cstddef>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "net/address.h"

namespace martlet::net {

// The header of the PROXY protocol, version 2, by which a proxy says for whom it connects. Pure.

// Of each header; they say how long the whole is.
inline constexpr std::size_t kProxyFixedBytes = 16;
// Of a whole header. Addresses take 52 bytes at most; the rest is for what a proxy says besides,
// which is not read.
inline constexpr std::size_t kMaxProxyHeaderBytes = 1024;

struct ProxyHeader {
  // Of the client. None: the proxy speaks for itself (its health check), or of an address that is
  // neither IPv4 nor IPv6.
  std::optional<SocketAddress> from;
};

// How long the header is that begins with these kProxyFixedBytes.
Result<std::size_t> proxy_header_size(BytesView fixed);
// The whole of it.
Result<ProxyHeader> parse_proxy_header(BytesView header);

}  // namespace martlet::net
