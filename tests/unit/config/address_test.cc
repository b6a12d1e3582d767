#include "config/address.h"

#include <gtest/gtest.h>

namespace martlet::config {
namespace {

TEST(Address, ReadsHostAndPort) {
  const auto address = parse_address("127.0.0.1:7400");
  ASSERT_TRUE(address);
  EXPECT_EQ(*address, (Address{"127.0.0.1", 7400}));
}

TEST(Address, TakesIpv6InBrackets) {
  const auto address = parse_address("[::1]:80");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host, "::1");
  EXPECT_EQ(to_string(*address), "[::1]:80");
}

TEST(Address, PortIsBounded) {
  EXPECT_TRUE(parse_address("a:0"));
  EXPECT_TRUE(parse_address("a:65535"));
  EXPECT_FALSE(parse_address("a:65536"));
  EXPECT_FALSE(parse_address("a:-1"));
  EXPECT_FALSE(parse_address("a:"));
  EXPECT_FALSE(parse_address("a:80x"));
}

TEST(Address, RefusesWhatIsNoHost) {
  EXPECT_FALSE(parse_address(":80"));
  EXPECT_FALSE(parse_address("a b:80"));
  EXPECT_FALSE(parse_address("::1:80"));
  EXPECT_FALSE(parse_address("[]:80"));
  EXPECT_FALSE(parse_address("[name]:80"));
  EXPECT_FALSE(parse_address("localhost"));
  EXPECT_TRUE(parse_address(std::string(253, 'a') + ":1"));
  EXPECT_FALSE(parse_address(std::string(254, 'a') + ":1"));
}

}  // namespace
}  // namespace martlet::config
