#include <gtest/gtest.h>

#include "lib/redis/client.h"

namespace martlet::redis {
namespace {

TEST(RedisUrl, AllParts) {
  const auto options = parse_url("redis://:s3cr@t@10.0.0.1:6380/2");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->host, "10.0.0.1");
  EXPECT_EQ(options->port, 6380);
  EXPECT_EQ(options->user, "");
  EXPECT_EQ(options->password, "s3cr@t");
  EXPECT_EQ(options->database, 2);
}

TEST(RedisUrl, AUserBeforeThePassword) {
  const auto options = parse_url("redis://edge:s3cret@redis");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->user, "edge");
  EXPECT_EQ(options->password, "s3cret");
}

TEST(RedisUrl, OnlyAHost) {
  const auto options = parse_url("redis://redis");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->host, "redis");
  EXPECT_EQ(options->port, 6379);
  EXPECT_EQ(options->password, "");
  EXPECT_EQ(options->database, 0);
}

TEST(RedisUrl, AnIpv6HostStandsInBrackets) {
  const auto options = parse_url("redis://[::1]:7000/");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->host, "::1");
  EXPECT_EQ(options->port, 7000);
}

TEST(RedisUrl, WithTls) {
  const auto options = parse_url("rediss://edge:s3cret@redis:7001");
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->tls);
  EXPECT_EQ(options->host, "redis");
  EXPECT_EQ(options->port, 7001);
  EXPECT_FALSE(parse_url("redis://redis")->tls);
}

TEST(RedisUrl, OthersAreRefused) {
  for (const char* text :
       {"", "redis://", "http://host", "redis://host:0", "redis://host:99999", "redis://host:x",
        "redis://host/x", "redis://password@host", "redis://host/-1", "redissss://host", "host"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

}  // namespace
}  // namespace martlet::redis
