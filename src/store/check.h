#pragma once

#include "base/finding.h"
#include "store/pg_store.h"

namespace martlet::store {

// Whether PostgreSQL takes us, keeps what it commits, has the schema of this binary and room for
// the sessions of one more persist. Changes nothing. Blocks for some seconds at most.
Findings check(const PgStoreOptions& options);

}  // namespace martlet::store
