#include "store/check.h"

#include <algorithm>

#include "lib/pg/connection.h"
#include "store/migrate.h"

namespace martlet::store {
namespace {

// What is tested (Debian 12's is 15).
constexpr std::int64_t kLeastVersion = 150'000;

Finding judge_version(pg::Transaction& tx) {
  const pg::Rows rows = tx.query(
      "SELECT current_setting('server_version_num')::integer, current_setting('server_version')");
  if (!tx.ok()) return {"postgres.version", Verdict::kFail, tx.error().message, ""};
  const bool is_old = rows.number(0, 0) < kLeastVersion;
  return {"postgres.version", is_old ? Verdict::kWarn : Verdict::kOk,
          "PostgreSQL " + std::string(rows.text(0, 1)),
          is_old ? "Nobody has tried it with one older than 15." : ""};
}

// Without these a power cut takes what was told as stored.
Finding judge_durability(pg::Transaction& tx) {
  const pg::Rows rows = tx.query(
      "SELECT name || ' = ' || setting FROM pg_settings WHERE name IN ('fsync', "
      "'full_page_writes', 'synchronous_commit') AND setting IN ('off', 'local') ORDER BY 1");
  if (!tx.ok()) return {"postgres.durability", Verdict::kFail, tx.error().message, ""};
  if (rows.empty()) return {"postgres.durability", Verdict::kOk, "what is committed stays", ""};
  std::string wrong;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    wrong += (row > 0 ? ", " : "") + std::string(rows.text(row, 0));
  }
  return {"postgres.durability", Verdict::kFail, wrong,
          "Set it on: what was told as stored would not survive a power cut."};
}

Finding judge_schema(pg::Transaction& tx) {
  const pg::Rows there = tx.query(
      "SELECT to_regclass('schema_migrations') IS NOT NULL, "
      "to_regclass('schema_additions') IS NOT NULL");
  if (!tx.ok()) return {"postgres.schema", Verdict::kFail, tx.error().message, ""};
  const std::int64_t newest = newest_migration();
  if (!there.truth(0, 0)) {
    return {"postgres.schema", Verdict::kWarn, "there are no tables yet",
            "The first persist that starts makes them."};
  }
  const pg::Rows rows = tx.query("SELECT coalesce(max(number), 0) FROM schema_migrations");
  if (!tx.ok()) return {"postgres.schema", Verdict::kFail, tx.error().message, ""};
  const std::int64_t breaking = rows.number(0, 0);
  std::int64_t number = breaking;
  if (there.truth(0, 1)) {
    const pg::Rows more = tx.query("SELECT coalesce(max(number), 0) FROM schema_additions");
    if (!tx.ok()) return {"postgres.schema", Verdict::kFail, tx.error().message, ""};
    number = std::max(number, more.number(0, 0));
  }
  const std::string what =
      "migration " + std::to_string(number) + ", this binary knows " + std::to_string(newest);
  // Additions of a newer binary do no harm.
  if (number >= newest && breaking <= newest) return {"postgres.schema", Verdict::kOk, what, ""};
  if (breaking > newest) {
    return {"postgres.schema", Verdict::kFail, what, "Use the newer binary: this one won't start."};
  }
  return {"postgres.schema", Verdict::kWarn, what, "The next persist that starts brings it up."};
}

Finding judge_shards(pg::Transaction& tx, std::uint16_t shards) {
  const pg::Rows there = tx.query("SELECT to_regclass('cluster') IS NOT NULL");
  if (!tx.ok()) return {"postgres.shards", Verdict::kFail, tx.error().message, ""};
  if (!there.truth(0, 0)) return {"postgres.shards", Verdict::kOk, "not written yet", ""};
  const pg::Rows rows = tx.query("SELECT shards FROM cluster");
  if (!tx.ok()) return {"postgres.shards", Verdict::kFail, tx.error().message, ""};
  const bool is_same = rows.empty() || rows.number(0, 0) == shards;
  return {"postgres.shards", is_same ? Verdict::kOk : Verdict::kFail,
          rows.empty() ? "not written yet" : std::string(rows.text(0, 0)) + " shards",
          is_same ? ""
                  : "cluster.shards is " + std::to_string(shards) +
                        ": give all the number that the cluster was begun with."};
}

// Ours is counted when it runs already.
Finding judge_sessions(pg::Transaction& tx, std::size_t needed) {
  const pg::Rows rows = tx.query(
      "SELECT current_setting('max_connections')::integer - "
      "current_setting('superuser_reserved_connections')::integer - (SELECT count(*) FROM "
      "pg_stat_activity WHERE backend_type = 'client backend')");
  if (!tx.ok()) return {"postgres.connections", Verdict::kFail, tx.error().message, ""};
  const bool is_enough = rows.number(0, 0) >= static_cast<std::int64_t>(needed);
  return {"postgres.connections", is_enough ? Verdict::kOk : Verdict::kWarn,
          std::string(rows.text(0, 0)) + " are free",
          is_enough ? ""
                    : "A persist takes " + std::to_string(needed) +
                          ": raise max_connections before one more is started."};
}

// The pools of PgStore, and the one session that asks for the states of shards.
std::size_t sessions_of(const PgStoreOptions& options) {
  return options.writers + options.readers + options.lookups + 1;
}

Findings refused(const std::string& check, const std::string& why) {
  return {{check, Verdict::kFail, why,
           "See " + check +
               ".url (host, database, user, password) and whether PostgreSQL runs "
               "there."}};
}

}  // namespace

Findings check(const PgStoreOptions& options) {
  pg::ConnectOptions session;
  session.url = options.url;
  session.application_name = options.application_name + "-check";
  const auto connection = pg::Connection::open(session);
  if (!connection) return refused("postgres", connection.error().message);
  Findings findings = {{"postgres", Verdict::kOk, "it takes us", ""}};
  pg::Transaction tx(**connection, pg::Mode::kSnapshot);
  findings.push_back(judge_version(tx));
  findings.push_back(judge_durability(tx));
  findings.push_back(judge_schema(tx));
  findings.push_back(judge_shards(tx, options.shards));
  findings.push_back(judge_sessions(tx, sessions_of(options)));
  if (options.owner_url.empty()) return findings;
  session.url = options.owner_url;
  const auto owner = pg::Connection::open(session);
  if (!owner) {
    findings.push_back({"postgres.owner", Verdict::kFail, owner.error().message,
                        "See postgres.owner_url: it is who changes the tables at a start."});
  } else {
    findings.push_back({"postgres.owner", Verdict::kOk, "it takes who owns the tables", ""});
  }
  return findings;
}

}  // namespace martlet::store
