#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "bus/cluster_check.h"
#include "bus/nats_bus.h"
#include "bus/nats_kv.h"
#include "nats_client.h"
#include "support/nats_server.h"
#include "support/run_loop.h"

namespace martlet::bus {
namespace {

using namespace std::chrono_literals;

class KvTest : public ::testing::Test {
 protected:
  KvTest()
      : bus_(
            std::move(connect(loop_, {server_.url(), "kv test", 5s, test::nats_client()}).value())),
        kv_(*bus_, "im_leases") {
    EXPECT_FALSE(ensure().value());
  }

  template <class T, class Start>
  T wait(Start start) {
    std::optional<T> result;
    start([&](T value) { result.emplace(std::move(value)); });
    EXPECT_TRUE(test::run_until(
        loop_, [&] { return result.has_value(); }, 20s));
    return std::move(*result);
  }
  Result<bool> ensure() {
    return wait<Result<bool>>([&](auto done) { kv_.ensure(1, done); });
  }
  Result<std::optional<KvEntry>> get(std::string_view key) {
    return wait<Result<std::optional<KvEntry>>>([&](auto done) { kv_.get(key, done); });
  }
  Result<std::uint64_t> put(std::string_view key, BytesView value) {
    return wait<Result<std::uint64_t>>([&](auto done) { kv_.put(key, value, done); });
  }
  Result<std::uint64_t> update(std::string_view key, BytesView value, std::uint64_t expected) {
    return wait<Result<std::uint64_t>>([&](auto done) { kv_.update(key, value, expected, done); });
  }
  Result<void> check(std::uint16_t shards) {
    return wait<Result<void>>(
        [&](auto done) { check_cluster(kv_, shards, ClusterKey::kWrite, done); });
  }

  test::NatsServer server_;
  event::Loop loop_;
  std::unique_ptr<NatsBus> bus_;
  NatsKv kv_;
};

TEST_F(KvTest, AnUnknownKeyIsNothing) {
  EXPECT_FALSE(get("dispatch.shard.0").value());
}

TEST_F(KvTest, IsUsedFromTheFirstWriteOn) {
  EXPECT_FALSE(ensure().value());
  put("dispatch.beat.a", "1").value();
  EXPECT_TRUE(ensure().value());
}

TEST_F(KvTest, ReadsTheLastWrite) {
  put("dispatch.beat.a", "1").value();
  const std::uint64_t revision = put("dispatch.beat.a", std::string("2\0\xff", 3)).value();
  const KvEntry entry = get("dispatch.beat.a").value().value();
  EXPECT_EQ(entry.value, std::string("2\0\xff", 3));
  EXPECT_EQ(entry.revision, revision);
}

TEST_F(KvTest, RevisionsGrowOverAllKeys) {
  const std::uint64_t first = put("a", "1").value();
  EXPECT_GT(put("b", "1").value(), first);
}

TEST_F(KvTest, AnUpdateNeedsTheRevisionThatItExpects) {
  const std::uint64_t first = update("s", "mine", 0).value();
  EXPECT_EQ(update("s", "other", 0).error().code, ErrorCode::kConflict);
  const std::uint64_t second = update("s", "next", first).value();
  EXPECT_EQ(update("s", "late", first).error().code, ErrorCode::kConflict);
  put("another", "key").value();
  EXPECT_TRUE(update("s", "again", second));
}

TEST_F(KvTest, EveryWriteOfAnybodyIsHeard) {
  std::vector<std::pair<std::string, std::string>> heard;
  kv_.on_write([&](std::string_view key, BytesView value) { heard.emplace_back(key, value); });
  wait<Result<void>>([&](auto done) { bus_->after_subscriptions(2s, done); });
  const auto other =
      connect(loop_, {server_.url(), "other", 5s, test::nats_client()}).value().release();
  const std::unique_ptr<NatsBus> other_bus(other);
  NatsKv other_kv(*other_bus, "im_leases");
  wait<Result<std::uint64_t>>([&](auto done) { other_kv.put("persist.beat.x", "7", done); });
  ASSERT_TRUE(test::run_until(loop_, [&] { return !heard.empty(); }));
  EXPECT_EQ(heard.front(), (std::pair<std::string, std::string>("persist.beat.x", "7")));
}

TEST_F(KvTest, AKeyDeletedByAToolReadsAsEmptyAndCanBeTaken) {
  put("s", "x").value();
  // What "nats kv del" sends.
  const nats::Header header = {"KV-Operation", "DEL"};
  wait<Result<const nats::Message*>>([&](auto done) {
    bus_->ask({"$KV.im_leases.s", {&header, 1}, "", 2s},
              [done](Result<const nats::Message*>) { done(nullptr); });
  });
  const KvEntry entry = get("s").value().value();
  EXPECT_EQ(entry.value, "");
  EXPECT_TRUE(update("s", "mine", entry.revision));
}

TEST_F(KvTest, SurvivesAKilledServer) {
  const std::uint64_t revision = update("s", "mine", 0).value();
  server_.kill();
  ASSERT_TRUE(test::run_until(loop_, [&] { return !bus_->is_connected(); }));
  EXPECT_EQ(get("s").error().code, ErrorCode::kUnavailable);
  server_.restart();
  ASSERT_TRUE(test::run_until(loop_, [&] { return bus_->is_connected(); }));
  EXPECT_EQ(get("s").value().value().value, "mine");
  EXPECT_TRUE(update("s", "next", revision));
}

TEST_F(KvTest, TheFirstServiceFixesTheNumberOfShards) {
  EXPECT_TRUE(check(16));
  EXPECT_TRUE(check(16));
  const auto other = check(32);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kConflict);
  EXPECT_NE(other.error().detail.find("16"), std::string::npos);
  EXPECT_NE(other.error().detail.find("32"), std::string::npos);
}

TEST_F(KvTest, WhoOnlyReadsWaitsForOneThatWritesTheNumberOfShards) {
  const auto read = [&](std::uint16_t shards) {
    return wait<Result<void>>(
        [&](auto done) { check_cluster(kv_, shards, ClusterKey::kOnlyRead, done); });
  };
  EXPECT_EQ(read(16).error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(get("cluster").value());
  EXPECT_TRUE(check(16));
  EXPECT_TRUE(read(16));
  EXPECT_EQ(read(32).error().code, ErrorCode::kConflict);
}

TEST_F(KvTest, TwoServicesThatComeFirstAgree) {
  std::vector<bool> done;
  check_cluster(kv_, 16, ClusterKey::kWrite,
                [&](Result<void> result) { done.push_back(result.has_value()); });
  check_cluster(kv_, 32, ClusterKey::kWrite,
                [&](Result<void> result) { done.push_back(result.has_value()); });
  ASSERT_TRUE(test::run_until(loop_, [&] { return done.size() == 2; }));
  EXPECT_NE(done[0], done[1]);
}

TEST_F(KvTest, AStartWaitsForABrokerThatDoesNotAnswerYet) {
  server_.kill();
  ASSERT_TRUE(test::run_until(loop_, [&] { return !bus_->is_connected(); }));
  ClusterCheck start(loop_, kv_, {.replicas = 1, .shards = 16, .wait = 30s});
  std::vector<bool> done;
  start.start([&](const Result<void>& result) { done.push_back(result.has_value()); });
  // It was refused once by now, since that needs no more than a turn of the loop.
  ASSERT_FALSE(get("s"));
  EXPECT_TRUE(done.empty());
  server_.restart();
  ASSERT_TRUE(test::run_until(
      loop_, [&] { return !done.empty(); }, 30s));
  EXPECT_EQ(done, std::vector<bool>{true});
  EXPECT_TRUE(check(16));
}

TEST_F(KvTest, AStartThatMayNotWaitSaysWhatIsMissing) {
  server_.kill();
  ASSERT_TRUE(test::run_until(loop_, [&] { return !bus_->is_connected(); }));
  ClusterCheck start(loop_, kv_, {.replicas = 1, .shards = 16, .wait = 0s});
  const auto done = wait<Result<void>>([&](auto callback) { start.start(callback); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kUnavailable);
}

TEST_F(KvTest, AStartDoesNotWaitForAnotherNumberOfShards) {
  EXPECT_TRUE(check(16));
  ClusterCheck start(loop_, kv_, {.replicas = 1, .shards = 32, .wait = 3600s});
  const auto done = wait<Result<void>>([&](auto callback) { start.start(callback); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kConflict);
}

TEST_F(KvTest, WithoutABucketNothingWorks) {
  NatsKv none(*bus_, "none");
  EXPECT_FALSE(wait<Result<std::uint64_t>>([&](auto done) { none.put("k", "v", done); }));
  EXPECT_FALSE(wait<Result<std::optional<KvEntry>>>([&](auto done) { none.get("k", done); }));
}

}  // namespace
}  // namespace martlet::bus
