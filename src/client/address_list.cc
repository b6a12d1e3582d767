#include "client/address_list.h"

#include <optional>
#include <string>
#include <utility>

#include "base/assert.h"

namespace martlet::client {

Result<AddressList> AddressList::parse(std::string_view text) {
  std::vector<net::Address> addresses;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view one = text.substr(0, comma);
    std::optional<net::Address> address = net::parse_address(one);
    if (!address || address->port == 0) {
      return fail(ErrorCode::kBadBody, "not an address (host:port): " + std::string(one));
    }
    addresses.push_back(std::move(*address));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return AddressList(std::move(addresses));
}

const net::Address& AddressList::current() const {
  if (!preferred_.empty()) return preferred_.front();
  MARTLET_ASSERT(!addresses_.empty());
  return addresses_[index_];
}

void AddressList::rotate() {
  if (!preferred_.empty()) {
    preferred_.clear();
    return;
  }
  if (!addresses_.empty()) index_ = (index_ + 1) % addresses_.size();
}

void AddressList::prefer(net::Address address) {
  preferred_.clear();
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    if (!(addresses_[i] == address)) continue;
    index_ = i;
    return;
  }
  preferred_.push_back(std::move(address));
}

}  // namespace martlet::client
