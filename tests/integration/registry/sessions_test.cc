#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <optional>

#include "registry/redis_sessions.h"
#include "registry/session_json.h"
#include "support/run_loop.h"

namespace martlet::registry {
namespace {

using std::chrono::milliseconds;
using test::run_until;

class RedisSessionsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    const char* url = std::getenv("MARTLET_TEST_REDIS_URL");
    if (url == nullptr) GTEST_SKIP() << "MARTLET_TEST_REDIS_URL is not set";
    options_ = redis::parse_url(url).value();
    options_.timeout = Duration(test::longer(std::chrono::seconds(1))) / 2;
    admin_ = std::make_unique<redis::Client>(loop_, random_, options_);
    client_ = std::make_unique<redis::Client>(loop_, random_, options_);
    sessions_ = std::make_unique<RedisSessions>(loop_, *client_);
    ASSERT_TRUE(
        run_until(loop_, [&] { return admin_->is_connected() && client_->is_connected(); }));
    ask({"FLUSHDB"});
  }

  redis::Reply ask(const std::vector<std::string>& arguments) {
    std::optional<Result<redis::Reply>> reply;
    admin_->command(arguments, [&](Result<redis::Reply> r) { reply = std::move(r); });
    EXPECT_TRUE(run_until(loop_, [&] { return reply.has_value(); }));
    EXPECT_TRUE(reply->has_value()) << reply->error().detail;
    return reply->value_or(redis::Reply{});
  }
  std::vector<SessionRecord> read(const char* user) {
    std::optional<Result<std::vector<SessionRecord>>> records;
    sessions_->read(UserId::trusted(user),
                    [&](Result<std::vector<SessionRecord>> r) { records = std::move(r); });
    EXPECT_TRUE(run_until(loop_, [&] { return records.has_value(); }));
    EXPECT_TRUE(records->has_value());
    return records->value_or(std::vector<SessionRecord>{});
  }
  // Asks again and again until the database holds so many keys.
  bool comes_to_hold(std::int64_t keys) {
    const MonotonicTime until = loop_.now() + test::longer(std::chrono::seconds(10));
    while (loop_.now() < until) {
      if (ask({"DBSIZE"}).integer == keys) return true;
    }
    return false;
  }
  static SessionRecord record(const char* user, const char* device, std::uint64_t time) {
    return {.user = UserId::trusted(user),
            .device = DeviceId::trusted(device),
            .session = {time, 7},
            .edge = EdgeId::trusted("e1"),
            .address = "127.0.0.1:7000",
            .since_ms = time};
  }

  event::Loop loop_;
  SystemRandom random_;
  redis::ClientOptions options_;
  std::unique_ptr<redis::Client> admin_;
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<RedisSessions> sessions_;
};

TEST_F(RedisSessionsTest, AnAddedSessionIsRead) {
  sessions_->add(record("ann", "phone", 5));
  EXPECT_EQ(read("ann"), std::vector{record("ann", "phone", 5)});
}

TEST_F(RedisSessionsTest, TheKeyRunsOut) {
  sessions_->add(record("ann", "phone", 5));
  read("ann");
  const auto left_ms = ask({"PTTL", "im:user:ann"}).integer;
  EXPECT_GT(left_ms, 80'000);
  EXPECT_LE(left_ms, 90'000);
}

TEST_F(RedisSessionsTest, ARemovedSessionIsGone) {
  sessions_->add(record("ann", "phone", 5));
  sessions_->add(record("ann", "pad", 6));
  sessions_->remove(record("ann", "phone", 5));
  EXPECT_EQ(read("ann"), std::vector{record("ann", "pad", 6)});
}

TEST_F(RedisSessionsTest, RemovingAnOlderSessionLeavesTheNewerOneOfTheDevice) {
  RedisSessions other(loop_, *admin_);
  sessions_->add(record("ann", "phone", 5));
  read("ann");
  other.add(record("ann", "phone", 6));
  ask({"PING"});
  sessions_->remove(record("ann", "phone", 5));
  EXPECT_EQ(read("ann"), std::vector{record("ann", "phone", 6)});
}

TEST_F(RedisSessionsTest, WhatRanOutIsNotRead) {
  ask({"HSET", "im:user:ann", "phone", to_json(record("ann", "phone", 5), loop_.wall_ms() - 1)});
  EXPECT_TRUE(read("ann").empty());
}

TEST_F(RedisSessionsTest, AfterALossAllLiveSessionsAreWrittenAgain) {
  for (int i = 0; i < 2000; ++i) {
    sessions_->add(record(("u" + std::to_string(i)).c_str(), "phone", std::uint64_t(i + 1)));
  }
  read("u0");
  sessions_->remove(record("u7", "phone", 8));
  ask({"FLUSHDB"});
  ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  EXPECT_TRUE(run_until(loop_, [&] { return !client_->is_connected(); }));
  EXPECT_TRUE(run_until(loop_, [&] { return client_->is_connected(); }));
  EXPECT_TRUE(comes_to_hold(1999));
  EXPECT_TRUE(read("u7").empty());
}

TEST_F(RedisSessionsTest, WithoutRedisNothingBlocksAndReadingFails) {
  options_.port = 1;
  redis::Client lonely(loop_, random_, options_);
  RedisSessions sessions(loop_, lonely);
  sessions.add(record("ann", "phone", 5));
  std::optional<ErrorCode> code;
  sessions.read(UserId::trusted("ann"), [&](const Result<std::vector<SessionRecord>>& records) {
    code = records ? ErrorCode::kNone : records.error().code;
  });
  EXPECT_EQ(code, ErrorCode::kUnavailable);
}

TEST_F(RedisSessionsTest, AWrongPasswordIsTriedAgainWithoutHarm) {
  options_.password = "wrong";
  redis::Client refused(loop_, random_, options_);
  const MonotonicTime until = loop_.now() + milliseconds(600);
  EXPECT_TRUE(run_until(loop_, [&] { return loop_.now() > until; }));
  EXPECT_FALSE(refused.is_connected());
}

TEST_F(RedisSessionsTest, ARedisThatHangsIsLeftAndAskedAgain) {
  ask({"CLIENT", "PAUSE", std::to_string(3 * to_ms(options_.timeout)), "ALL"});
  std::optional<Result<redis::Reply>> reply;
  client_->command({"GET", "x"}, [&](Result<redis::Reply> r) { reply = std::move(r); });
  EXPECT_TRUE(run_until(loop_, [&] { return reply.has_value(); }));
  ASSERT_FALSE(reply->has_value());
  EXPECT_EQ(reply->error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(run_until(loop_, [&] { return client_->is_connected(); }));
}

}  // namespace
}  // namespace martlet::registry
