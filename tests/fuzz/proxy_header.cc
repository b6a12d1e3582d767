// What a proxy says for whom it connects, ranges of addresses, and keys of TLS tickets.
#include "net/proxy_header.h"

#include "base/assert.h"
#include "net/address_range.h"
#include "net/tls.h"
#include "targets.h"

namespace martlet::fuzz {
namespace {

void check_header(BytesView input) {
  if (input.size() < net::kProxyFixedBytes) {
    MARTLET_ASSERT(!net::parse_proxy_header(input));
    return;
  }
  const auto size = net::proxy_header_size(input);
  if (!size) {
    MARTLET_ASSERT(!net::parse_proxy_header(input));
    return;
  }
  MARTLET_ASSERT(*size >= net::kProxyFixedBytes && *size <= net::kMaxProxyHeaderBytes);
  // No other length of the same header is taken.
  if (input.size() != *size) MARTLET_ASSERT(!net::parse_proxy_header(input));
  if (input.size() < *size) return;
  const auto header = net::parse_proxy_header(input.substr(0, *size));
  if (!header || !header->from) return;
  const net::Address from = header->from->address();
  MARTLET_ASSERT(!from.host.empty());
  const auto alone = net::AddressRange::parse(from.host);
  MARTLET_ASSERT(alone && alone->contains(*header->from));
}

void check_texts(BytesView text) {
  const auto range = net::AddressRange::parse(text);
  if (range) MARTLET_ASSERT(!range->contains({}));
  const auto keys = net::parse_ticket_keys(text);
  if (!keys) return;
  MARTLET_ASSERT(!keys->empty() && keys->size() <= net::kMaxTicketKeys);
  for (const net::TicketKey& key : *keys) {
    MARTLET_ASSERT(key.name.size() == net::TicketKey::kNameBytes);
    MARTLET_ASSERT(key.mac.size() == net::TicketKey::kHalfBytes);
    MARTLET_ASSERT(key.cipher.size() == net::TicketKey::kHalfBytes);
  }
}

}  // namespace

void proxy_header(BytesView input) {
  check_header(input);
  check_texts(input);
}

}  // namespace martlet::fuzz
