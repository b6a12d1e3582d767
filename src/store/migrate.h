#pragma once

#include <string>

#include "lib/pg/connection.h"

namespace martlet::store {

// The schema's version that this binary was built with.
int newest_migration();

struct MigrationReport {
  int version = 0;  // now
  int applied = 0;  // by this call
};

// Brings the schema up to date, under a lock that lets several processes do this at once. A schema
// with a breaking migration that the binary does not know is an error (sqlstate "MIGRA"); additions
// of a newer binary are none. Blocks; start-up only.
pg::Result<MigrationReport> migrate(pg::Connection& connection);

// Notes the shard count of a new cluster and makes its rows; another count than before is an error
// (sqlstate "SHARD").
pg::Result<void> prepare_shards(pg::Connection& connection, std::uint16_t shards);

}  // namespace martlet::store
