#include "store/migrate.h"

#include <thread>

#include "database.h"
#include "store/pg_store.h"

namespace martlet::store {
namespace {

class MigrateTest : public DatabaseTest {};

TEST_F(MigrateTest, BringsAnEmptyDatabaseUpToDate) {
  auto connection = connect();
  const auto report = migrate(*connection);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->version, newest_migration());
  EXPECT_EQ(report->applied, newest_migration());
  EXPECT_EQ(scalar("SELECT count(*) FROM messages"), "0");
}

TEST_F(MigrateTest, DoesNothingTheSecondTime) {
  auto connection = connect();
  ASSERT_TRUE(migrate(*connection));
  const auto again = migrate(*connection);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->applied, 0);
}

TEST_F(MigrateTest, RunByManyAtOnceIsAppliedOnce) {
  constexpr int kProcesses = 4;
  std::vector<int> applied(kProcesses, -1);
  std::vector<std::thread> threads;
  for (int i = 0; i < kProcesses; ++i) {
    threads.emplace_back([this, &applied, i] {
      auto connection = connect();
      if (const auto report = migrate(*connection)) applied[i] = report->applied;
    });
  }
  for (auto& thread : threads) thread.join();
  std::sort(applied.begin(), applied.end());
  EXPECT_EQ(applied, (std::vector<int>{0, 0, 0, newest_migration()}));
}

TEST_F(MigrateTest, RefusesASchemaNewerThanTheBinary) {
  auto connection = prepared();
  run("INSERT INTO schema_migrations (number, name) VALUES (9999, 'future')");
  const auto report = migrate(*connection);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().sqlstate, "MIGRA");
}

TEST_F(MigrateTest, RunsOnASchemaThatOnlyHasMoreThanItKnows) {
  auto connection = prepared();
  run("INSERT INTO schema_additions (number, name) VALUES (9999, 'future')");
  const auto report = migrate(*connection);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->version, 9999);
  EXPECT_EQ(report->applied, 0);
}

TEST_F(MigrateTest, NotesTheFirstFourWhereTheFirstBinariesLook) {
  auto connection = prepared();
  EXPECT_EQ(scalar("SELECT max(number) FROM schema_migrations"), "4");
}

TEST_F(MigrateTest, RefusesAnotherShardCount) {
  auto connection = prepared();
  EXPECT_TRUE(prepare_shards(*connection, kShards));
  const auto other = prepare_shards(*connection, kShards * 2);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().sqlstate, "SHARD");
}

TEST_F(MigrateTest, OpenStoreSaysThatTheServerIsNotThere) {
  SystemClock clock;
  PgStoreOptions store_options;
  store_options.url = "postgresql://martlet@127.0.0.1:1/none";
  const auto opened = open_store(store_options, Duration(0), clock);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
}

TEST_F(MigrateTest, OpenStoreDoesNotWaitForADatabaseThatDoesNotExist) {
  SystemClock clock;
  PgStoreOptions store_options;
  store_options.url = options().url + "_missing";
  const MonotonicTime before = clock.now();
  EXPECT_FALSE(open_store(store_options, std::chrono::seconds(60), clock));
  EXPECT_LT(clock.now() - before, std::chrono::seconds(30));
}

}  // namespace
}  // namespace martlet::store
