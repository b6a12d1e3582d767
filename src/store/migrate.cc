#include "store/migrate.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace martlet::store {
namespace {

struct Migration {
  int number;
  const char* name;
  bool is_breaking;  // its file says so
  const char* sql;
};

constexpr Migration kMigrations[] = {
#include "store/migrations.inc"
};

// Up to here every binary has looked at schema_migrations alone, and must find these there.
constexpr int kLastBeforeAdditions = 4;

// Any number will do, as long as nobody else uses it: "martlet" in a phone's digits.
constexpr const char* kLock = "SELECT pg_advisory_xact_lock(6278538)";

pg::Error newer_schema(int version) {
  return {pg::Failure::kOther, "MIGRA",
          "the database has migration " + std::to_string(version) + ", this binary knows " +
              std::to_string(newest_migration())};
}

// What an older binary need not know of stands in a table that it does not look at, so that it may
// still start: the first binaries refuse whatever schema_migrations has and they have not.
const char* note_of(const Migration& migration) {
  if (migration.is_breaking || migration.number <= kLastBeforeAdditions) {
    return "INSERT INTO schema_migrations (number, name) VALUES ($1, $2)";
  }
  return "INSERT INTO schema_additions (number, name) VALUES ($1, $2)";
}

// Both tables have the same columns.
void make_tables(pg::Transaction& tx) {
  for (const char* table : {"schema_migrations", "schema_additions"}) {
    tx.query(std::string("CREATE TABLE IF NOT EXISTS ") + table +
             " (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL "
             "DEFAULT now())");
  }
}

}  // namespace

int newest_migration() {
  return static_cast<int>(std::size(kMigrations));
}

pg::Result<MigrationReport> migrate(pg::Connection& connection) {
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  // Who waits for the lock may wait for a long migration of another process.
  tx.query("SET LOCAL lock_timeout = 0");
  tx.query("SET LOCAL statement_timeout = 0");
  tx.query(kLock);
  make_tables(tx);
  const pg::Rows rows = tx.query(
      "SELECT coalesce((SELECT max(number) FROM schema_migrations), 0), "
      "coalesce((SELECT max(number) FROM schema_additions), 0)");
  if (!tx.ok()) return tl::unexpected(tx.error());
  const int breaking = static_cast<int>(rows.number(0, 0));
  if (breaking > newest_migration()) return tl::unexpected(newer_schema(breaking));
  // Beyond our newest there may be additions of a newer binary.
  const int before = std::max(breaking, static_cast<int>(rows.number(0, 1)));
  const int version = std::max(before, newest_migration());
  for (int number = before + 1; number <= newest_migration(); ++number) {
    const Migration& migration = kMigrations[number - 1];
    tx.query(migration.sql);
    tx.query(note_of(migration), pg::Params().number(number).text(migration.name));
  }
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return MigrationReport{version, version - before};
}

pg::Result<void> prepare_shards(pg::Connection& connection, std::uint16_t shards) {
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  tx.query(kLock);
  tx.query("INSERT INTO cluster (shards) VALUES ($1) ON CONFLICT (one) DO NOTHING",
           pg::Params().number(shards));
  const pg::Rows rows = tx.query("SELECT shards FROM cluster");
  if (!tx.ok()) return tl::unexpected(tx.error());
  if (rows.number(0, 0) != shards) {
    return tl::unexpected(pg::Error{pg::Failure::kOther, "SHARD",
                                    "the database is of a cluster with " +
                                        std::string(rows.text(0, 0)) + " shards, not " +
                                        std::to_string(shards)});
  }
  tx.query(
      "INSERT INTO shards (shard) SELECT generate_series(0, $1::integer - 1) ON CONFLICT (shard) "
      "DO NOTHING",
      pg::Params().number(shards));
  return tx.commit();
}

}  // namespace martlet::store
