#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "event/loop.h"
#include "net/address_range.h"
#include "net/proxy_reader.h"

namespace martlet::edge {

// What comes from the listener, before it is anybody's connection: finds out whose it is. Who
// connects from the address of a proxy must say for whom, in a PROXY header, which is believed;
// from elsewhere none is read. Loop thread; the loop outlives it.
class Arrivals {
 public:
  // from: the client, as far as is known.
  using Arrived = std::function<void(net::UniqueFd, const net::SocketAddress& from)>;
  // The socket is closed next.
  using Refused = std::function<void(const net::SocketAddress& proxy, const Error&)>;

  Arrivals(event::Loop& loop, std::vector<net::AddressRange> proxies, Arrived arrived,
           Refused refused);

  void take(net::UniqueFd fd);
  // Those whose header is not there yet.
  std::size_t waiting() const { return waiting_.size(); }
  // Closes them.
  void close_waiting() { waiting_.clear(); }

 private:
  void on_header(std::uint64_t number, const net::SocketAddress& proxy,
                 const Result<net::ProxyHeader>& header, net::UniqueFd fd);

  event::Loop& loop_;
  const std::vector<net::AddressRange> proxies_;
  Arrived arrived_;
  Refused refused_;
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<net::ProxyReader>> waiting_;
};

}  // namespace martlet::edge
