#include "edge/arrivals.h"

#include <utility>

#include "edge/limits.h"

namespace martlet::edge {

Arrivals::Arrivals(event::Loop& loop, std::vector<net::AddressRange> proxies, Arrived arrived,
                   Refused refused)
    : loop_(loop),
      proxies_(std::move(proxies)),
      arrived_(std::move(arrived)),
      refused_(std::move(refused)) {}

void Arrivals::take(net::UniqueFd fd) {
  const net::SocketAddress peer = net::peer_address(fd.get());
  if (!net::any_contains(proxies_, peer)) return arrived_(std::move(fd), peer);
  if (waiting_.size() >= kMaxProxyHeadersWaiting) {
    return refused_(peer, {ErrorCode::kBusy, "too many connections without a PROXY header"});
  }
  const std::uint64_t number = ++last_;
  waiting_.emplace(number, std::make_unique<net::ProxyReader>(
                               loop_, std::move(fd), kProxyHeaderTime,
                               [this, number, peer](const Result<net::ProxyHeader>& header,
                                                    net::UniqueFd socket) {
                                 on_header(number, peer, header, std::move(socket));
                               }));
}

void Arrivals::on_header(std::uint64_t number, const net::SocketAddress& proxy,
                         const Result<net::ProxyHeader>& header, net::UniqueFd fd) {
  const auto found = waiting_.find(number);
  loop_.defer_delete(std::move(found->second));
  waiting_.erase(found);
  if (!header) return refused_(proxy, header.error());
  arrived_(std::move(fd), header->from.value_or(proxy));
}

}  // namespace martlet::edge
