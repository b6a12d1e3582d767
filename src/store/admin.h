#pragma once

#include "lib/pg/connection.h"
#include "store/types.h"

namespace martlet::store {

// What people do to users and edges, and the audit log of it. Each call is one transaction; all
// block.

// Writes the act down and does what of it concerns the tables: devices are signed out, banned or
// let in again.
pg::Result<AdminDone> administer(pg::Connection& connection, const wire::AdminRequest& request,
                                 WallMs now_ms);

// The latest first.
pg::Result<std::vector<wire::AuditRow>> audit(pg::Connection& connection,
                                              const wire::AuditQuestion& question);

// Deletes rows from before then, at most kMaxAuditForgotten.
pg::Result<std::size_t> forget_audit(pg::Connection& connection, WallMs before_ms);

}  // namespace martlet::store
