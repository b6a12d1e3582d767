#include <gtest/gtest.h>

#include <algorithm>

#include "lib/nats/native/servers.h"
#include "lib/nats/options.h"

namespace martlet::nats {
namespace {

std::vector<std::string> addresses(const Servers& servers) {
  std::vector<std::string> all;
  for (const auto& server : servers.in_turn()) all.push_back(server.address.str());
  std::sort(all.begin(), all.end());
  return all;
}

TEST(NatsServersTest, UrlsWithAndWithoutCredentials) {
  const auto one = Servers::parse("nats://im:se:cret@10.0.0.1:4333/");
  ASSERT_TRUE(one);
  const Servers::Server server = (*one)->in_turn().front();
  EXPECT_EQ(server.address.str(), "10.0.0.1:4333");
  EXPECT_EQ(server.credentials.user, "im");
  EXPECT_EQ(server.credentials.password, "se:cret");
  const auto token = Servers::parse("nats://secret@nats");
  ASSERT_TRUE(token);
  EXPECT_EQ((*token)->in_turn().front().credentials.token, "secret");
  EXPECT_EQ(addresses(**token), (std::vector<std::string>{"nats:4222"}));
  const auto several = Servers::parse("nats://a:1,b:2,,[::1]:3");
  ASSERT_TRUE(several);
  EXPECT_EQ(addresses(**several), (std::vector<std::string>{"[::1]:3", "a:1", "b:2"}));
}

TEST(NatsServersTest, WhatIsNoUrlIsAnErrorThatDoesNotRepeatIt) {
  for (const char* bad : {"", "http://a:1", "nats://im:secret@:1", "nats://im:secret@a:b:c"}) {
    const auto servers = Servers::parse(bad);
    ASSERT_FALSE(servers) << bad;
    EXPECT_EQ(servers.error().detail.find("secret"), std::string::npos);
  }
}

TEST(NatsServersTest, TlsHoldsForThoseOfWhichAServerTellsToo) {
  const auto servers = Servers::parse("tls://im:x@a:1").value();
  servers->learn({"b:2"});
  ASSERT_EQ(servers->in_turn().size(), 2U);
  for (const auto& server : servers->in_turn()) EXPECT_TRUE(server.needs_tls);
  EXPECT_FALSE(Servers::parse("nats://a:1").value()->in_turn().front().needs_tls);
  EXPECT_EQ(masked_url("tls://im:secret@a:1,im:secret@b:2,nats://c:3"),
            "tls://***@a:1,b:2,nats://c:3");
}

TEST(NatsServersTest, WhatAServerTellsIsTriedTooWithTheFirstCredentials) {
  const auto servers = Servers::parse("nats://im:x@a:1").value();
  servers->learn({"a:1", "b:2", "c:3", "nonsense"});
  EXPECT_EQ(addresses(*servers), (std::vector<std::string>{"a:1", "b:2", "c:3"}));
  for (const auto& server : servers->in_turn()) EXPECT_EQ(server.credentials.user, "im");
  servers->learn({"b:2"});
  EXPECT_EQ(addresses(*servers), (std::vector<std::string>{"a:1", "b:2"}));
}

}  // namespace
}  // namespace martlet::nats
