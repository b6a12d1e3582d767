#include "net/network.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "net/fd.h"

namespace martlet::net {
namespace {

Network at(const char* host) {
  return network_of(resolve({host, 1}).value());
}

TEST(Network, AnIPv4AddressIsOne) {
  EXPECT_EQ(at("192.0.2.1"), at("192.0.2.1"));
  EXPECT_NE(at("192.0.2.1"), at("192.0.2.2"));
  EXPECT_EQ(at("192.0.2.1").family, AF_INET);
}

TEST(Network, AnIPv6AddressCountsByItsFirst64Bits) {
  EXPECT_EQ(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
  EXPECT_NE(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
}

TEST(Network, AnIPv4AddressInsideAnIPv6OneIsThatAddress) {
  EXPECT_EQ(at("::ffff:192.0.2.1"), at("192.0.2.1"));
  EXPECT_NE(at("::ffff:192.0.2.1"), at("::ffff:192.0.2.2"));
}

TEST(Network, OtherSocketsAreNowhere) {
  int fds[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  const UniqueFd one(fds[0]);
  const UniqueFd two(fds[1]);
  EXPECT_EQ(network_of(peer_address(one.get())), Network{});
  EXPECT_EQ(network_of(peer_address(-1)), Network{});
}

}  // namespace
}  // namespace martlet::net
