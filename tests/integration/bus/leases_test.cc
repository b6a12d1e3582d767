#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/random.h"
#include "bus/cluster_check.h"
#include "bus/kv_leases.h"
#include "bus/nats_bus.h"
#include "bus/nats_kv.h"
#include "nats_client.h"
#include "support/nats_server.h"
#include "support/run_loop.h"

namespace martlet::bus {
namespace {

using namespace std::chrono_literals;

// A service with its own connection; it gives back at once what it is asked to release.
class Member final : public LeaseListener {
 public:
  Member(event::Loop& loop, const std::string& url, const std::string& name)
      : bus(std::move(connect(loop, {url, name, 5s, test::nats_client()}).value())),
        kv(*bus, std::string(kLeaseBucket)),
        leases(loop, kv, random, {"dispatch", name, 16}) {}

  void on_acquired(ShardId shard, Epoch epoch, const ShardRecord&) override {
    owned[shard.value()] = epoch;
    ++acquired;
  }
  void on_release_wanted(ShardId shard) override {
    owned.erase(shard.value());
    leases.give_back(shard);
  }
  void on_lost(ShardId shard) override { owned.erase(shard.value()); }

  SystemRandom random;
  std::unique_ptr<NatsBus> bus;
  NatsKv kv;
  KvLeases leases;
  std::map<std::uint16_t, Epoch> owned;
  int acquired = 0;
};

class LeasesTest : public ::testing::Test {
 protected:
  std::unique_ptr<Member> join(const std::string& name) {
    auto member = std::make_unique<Member>(loop_, server_.url(), name);
    bool ready = false;
    member->kv.ensure(1, [&](Result<bool> is_used) { ready = is_used.has_value(); });
    EXPECT_TRUE(until([&] { return ready; }));
    member->leases.start(*member);
    return member;
  }
  bool until(const std::function<bool()>& condition, std::chrono::seconds limit = 15s) {
    return test::run_until(loop_, condition, limit);
  }

  test::NatsServer server_;
  event::Loop loop_;
};

TEST_F(LeasesTest, TwoMembersShareAndOneThatStopsGivesItsShardsAway) {
  auto a = join("a");
  auto b = join("b");
  ASSERT_TRUE(until([&] { return a->owned.size() == 8 && b->owned.size() == 8; }));
  for (const auto& [shard, epoch] : a->owned) EXPECT_FALSE(b->owned.contains(shard));

  bool stopped = false;
  const MonotonicTime start = loop_.now();
  a->leases.stop([&] { stopped = true; });
  ASSERT_TRUE(until([&] { return stopped; }));
  EXPECT_LT(loop_.now() - start, 1500ms);
  EXPECT_TRUE(until([&] { return b->owned.size() == 16; }));
}

TEST_F(LeasesTest, AMemberThatVanishesIsFollowed) {
  auto a = join("a");
  auto b = join("b");
  ASSERT_TRUE(until([&] { return a->owned.size() == 8 && b->owned.size() == 8; }));
  a.reset();
  EXPECT_TRUE(until([&] { return b->owned.size() == 16; }));
}

TEST_F(LeasesTest, AKilledServerThatReturnsChangesNothing) {
  auto a = join("a");
  auto b = join("b");
  ASSERT_TRUE(until([&] { return a->owned.size() == 8 && b->owned.size() == 8; }));
  server_.kill();
  ASSERT_TRUE(until([&] { return a->leases.renewal_age() > 3s; }));
  server_.restart();
  ASSERT_TRUE(until([&] { return a->leases.renewal_age() < kMaxRenewalAge; }));
  ASSERT_TRUE(until([&] { return b->leases.renewal_age() < kMaxRenewalAge; }));
  const MonotonicTime back = loop_.now();
  until([&] { return loop_.now() - back > 4s; });
  EXPECT_EQ(a->owned.size() + b->owned.size(), 16U);
  EXPECT_EQ(a->acquired + b->acquired, 16);
}

TEST_F(LeasesTest, WithoutABrokerStoppingEndsWithinASecond) {
  auto a = join("a");
  ASSERT_TRUE(until([&] { return a->owned.size() == 16; }));
  server_.kill();
  ASSERT_TRUE(until([&] { return !a->bus->is_connected(); }));
  bool stopped = false;
  const MonotonicTime start = loop_.now();
  a->leases.stop([&] { stopped = true; });
  ASSERT_TRUE(until([&] { return stopped; }));
  EXPECT_LT(loop_.now() - start, 1500ms);
}

TEST_F(LeasesTest, DoubtGivesANewEpoch) {
  auto a = join("a");
  ASSERT_TRUE(until([&] { return a->owned.size() == 16; }));
  const Epoch before = a->owned.at(5);
  a->leases.doubt(ShardId(5));
  EXPECT_TRUE(until([&] { return a->owned.at(5) > before; }));
}

}  // namespace
}  // namespace martlet::bus
