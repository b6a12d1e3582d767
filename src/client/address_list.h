#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace martlet::client {

// The edges that a client may use, tried in turn from the first one; an edge may also send us to
// one that is not in the list, which is tried once.
class AddressList {
 public:
  AddressList() = default;
  explicit AddressList(std::vector<net::Address> addresses) : addresses_(std::move(addresses)) {}
  // "host:port[,host:port…]".
  static Result<AddressList> parse(std::string_view text);

  bool empty() const { return addresses_.empty(); }
  std::size_t size() const { return addresses_.size(); }
  // Where to connect now. The list must not be empty.
  const net::Address& current() const;
  // The attempt failed or the connection is lost: the next one's turn.
  void rotate();
  // Told by the server: this one's turn now.
  void prefer(net::Address address);

 private:
  std::vector<net::Address> addresses_;
  std::size_t index_ = 0;
  std::vector<net::Address> preferred_;  // at most one, which is not in the list
};

}  // namespace martlet::client
