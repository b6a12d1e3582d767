#include "lib/pg/pool.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "database.h"

namespace martlet::store {
namespace {

class PoolTest : public DatabaseTest {
 protected:
  pg::Result<std::string> ask(pg::Pool& pool, const std::string& sql) {
    pg::Result<std::string> out;
    const bool taken = pool.submit<std::string>(
        [sql](pg::Connection& c) -> pg::Result<std::string> {
          pg::Transaction tx(c, pg::Mode::kReadWrite);
          const pg::Rows rows = tx.query(sql);
          if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
          return rows.empty() ? std::string() : std::string(rows.text(0, 0));
        },
        [&](pg::Result<std::string> result) {
          out = std::move(result);
          loop_.stop();
        });
    EXPECT_TRUE(taken);
    loop_.run();
    return out;
  }

  event::Loop loop_;
};

TEST_F(PoolTest, AnswersOnTheLoop) {
  pg::Pool pool(loop_, {options(), 2, 10});
  EXPECT_EQ(ask(pool, "SELECT 6 * 7").value_or("?"), "42");
}

TEST_F(PoolTest, SessionSettingsHold) {
  pg::Pool pool(loop_, {options(), 1, 10});
  EXPECT_EQ(ask(pool, "SHOW lock_timeout").value_or("?"), "5s");
  EXPECT_EQ(ask(pool, "SHOW statement_timeout").value_or("?"), "30s");
  EXPECT_EQ(ask(pool, "SHOW idle_in_transaction_session_timeout").value_or("?"), "10s");
  EXPECT_EQ(ask(pool, "SHOW application_name").value_or("?"), "store_test");
}

TEST_F(PoolTest, ConnectsAgainAfterALoss) {
  pg::Pool pool(loop_, {options(), 1, 10});
  const auto pid = ask(pool, "SELECT pg_backend_pid()");
  ASSERT_TRUE(pid);
  scalar("SELECT pg_terminate_backend(" + *pid + ", 10000)");
  const auto lost = ask(pool, "SELECT 1");
  // libpqxx 6 mends a connection by itself where nothing was under way; newer ones report it.
  if (!lost) {
    EXPECT_EQ(lost.error().failure, pg::Failure::kLost);
  }
  EXPECT_EQ(ask(pool, "SELECT 2").value_or("?"), "2");
}

TEST_F(PoolTest, FailsAtOnceWithoutAServer) {
  auto nowhere = options();
  nowhere.url = "postgresql://martlet@127.0.0.1:1/none";
  pg::Pool pool(loop_, {nowhere, 1, 10});
  const auto result = ask(pool, "SELECT 1");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, pg::Failure::kLost);
}

TEST_F(PoolTest, SaysWhatPeopleHaveToMend) {
  pg::Pool pool(loop_, {options(), 1, 10});
  const auto failure = [&](const std::string& sqlstate) {
    const auto result =
        ask(pool, "DO $$ BEGIN RAISE 'x' USING ERRCODE = '" + sqlstate + "'; END $$");
    return result ? std::nullopt : std::optional(result.error().failure);
  };
  EXPECT_EQ(failure("42501"), pg::Failure::kBroken);  // no permission, for a table or for its file
  EXPECT_EQ(failure("58030"), pg::Failure::kBroken);  // a disk's error
  EXPECT_EQ(failure("53100"), pg::Failure::kLost);    // a full disk
  EXPECT_EQ(failure("42P01"), pg::Failure::kOther);   // no such table
}

TEST_F(PoolTest, RefusesWhatDoesNotFitIntoTheQueue) {
  std::mutex mutex;
  std::condition_variable wake;
  bool started = false;
  bool go_on = false;
  pg::Pool pool(loop_, {options(), 1, 2});
  const auto blocking = [&](pg::Connection&) -> pg::Result<int> {
    std::unique_lock lock(mutex);
    started = true;
    wake.notify_all();
    wake.wait(lock, [&] { return go_on; });
    return 0;
  };
  const auto ignore = [](const pg::Result<int>&) {};
  ASSERT_TRUE(pool.submit<int>(blocking, ignore));
  {
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return started; });
  }
  EXPECT_TRUE(pool.submit<int>(blocking, ignore));
  EXPECT_TRUE(pool.submit<int>(blocking, ignore));
  EXPECT_FALSE(pool.submit<int>(blocking, ignore));
  const std::lock_guard lock(mutex);
  go_on = true;
  wake.notify_all();
}

// What asks holds objects that belong to the loop: counters, sessions, calls of clients.
TEST_F(PoolTest, WhatAJobHoldsEndsOnTheLoop) {
  pg::Pool pool(loop_, {options(), 1, 10});
  std::optional<std::thread::id> ended_on;
  const auto end = [&](const int*) {
    ended_on = std::this_thread::get_id();
    loop_.stop();
  };
  {
    const int held = 0;
    const std::shared_ptr<const int> guard(&held, end);
    ASSERT_TRUE(pool.submit<int>([guard](pg::Connection&) -> pg::Result<int> { return 0; },
                                 [guard](const pg::Result<int>&) {}));
  }
  loop_.run();
  EXPECT_EQ(ended_on, std::this_thread::get_id());
}

TEST_F(PoolTest, StatementTimeOutIsRetryable) {
  auto impatient = options();
  impatient.statement_timeout_ms = 50;
  pg::Pool pool(loop_, {impatient, 1, 10});
  const auto result = ask(pool, "SELECT pg_sleep(10)");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, pg::Failure::kRetry);
  EXPECT_EQ(ask(pool, "SELECT 1").value_or("?"), "1") << "the session lives on";
}

}  // namespace
}  // namespace martlet::store
