#include "store/admin.h"

#include <algorithm>

#include "store/devices.h"
#include "store/limits.h"
#include "store/signed.h"

namespace martlet::store {
namespace {

using wire::AdminAct;

bool exists(pg::Transaction& tx, const UserId& user) {
  return !tx.query("SELECT 1 FROM accounts WHERE user_id = $1", pg::Params().text(user.str()))
              .empty();
}

void write_down(pg::Transaction& tx, const wire::AdminRequest& request, WallMs now_ms) {
  tx.query(
      "INSERT INTO audit (time_ms, act, who, user_id, device_id, edge) VALUES ($1::bigint, "
      "$2::smallint, $3, $4, $5, $6)",
      pg::Params()
          .number(as_signed(now_ms))
          .number(static_cast<std::int64_t>(request.act))
          .text(request.who)
          .text(request.user.str())
          .text(request.device.str())
          .text(request.edge.str()));
}

// One that never logged in may be banned as well.
void set_banned(pg::Transaction& tx, const wire::AdminRequest& request, bool banned) {
  const pg::Params device = pg::Params().text(request.user.str()).text(request.device.str());
  if (banned) {
    tx.query(
        "INSERT INTO devices (user_id, device_id, login, revoked, banned) VALUES ($1, $2, 0, true, "
        "true) ON CONFLICT (user_id, device_id) DO UPDATE SET banned = true",
        device);
  } else {
    tx.query("UPDATE devices SET banned = false WHERE user_id = $1 AND device_id = $2", device);
  }
}

}  // namespace

pg::Result<AdminDone> administer(pg::Connection& connection, const wire::AdminRequest& request,
                                 WallMs now_ms) {
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  AdminDone done;
  if (request.act != AdminAct::kDrain) {
    lock_account(tx, request.user);
    done.is_known = exists(tx, request.user);
  }
  if (done.is_known) {
    write_down(tx, request, now_ms);
    const bool is_ban = request.act == AdminAct::kBan;
    if (is_ban || request.act == AdminAct::kRevoke) {
      done.signed_out = sign_out_by_others(tx, request.user, request.device);
      std::sort(done.signed_out.begin(), done.signed_out.end());
    }
    if (is_ban || request.act == AdminAct::kUnban) set_banned(tx, request, is_ban);
  }
  if (auto committed = tx.commit(); !committed) return tl::unexpected(committed.error());
  return done;
}

pg::Result<std::vector<wire::AuditRow>> audit(pg::Connection& connection,
                                              const wire::AuditQuestion& question) {
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  const pg::Rows rows = tx.query(
      "SELECT id, time_ms, act, who, user_id, device_id, edge FROM audit WHERE $1::bigint = 0 OR "
      "id < $1::bigint ORDER BY id DESC LIMIT $2::bigint",
      pg::Params()
          .number(as_signed(question.before))
          .number(static_cast<std::int64_t>(question.limit)));
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  std::vector<wire::AuditRow> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    wire::AuditRow row;
    row.id = static_cast<std::uint64_t>(rows.number(i, 0));
    row.time_ms = static_cast<WallMs>(rows.number(i, 1));
    row.request.act = static_cast<AdminAct>(rows.number(i, 2));
    row.request.who = std::string(rows.text(i, 3));
    if (!rows.text(i, 4).empty()) row.request.user = UserId::trusted(rows.text(i, 4));
    if (!rows.text(i, 5).empty()) row.request.device = DeviceId::trusted(rows.text(i, 5));
    if (!rows.text(i, 6).empty()) row.request.edge = EdgeId::trusted(rows.text(i, 6));
    out.push_back(std::move(row));
  }
  return out;
}

pg::Result<std::size_t> forget_audit(pg::Connection& connection, WallMs before_ms) {
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  const pg::Rows rows = tx.query(
      "WITH gone AS (DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE time_ms < "
      "$1::bigint LIMIT $2::bigint FOR UPDATE SKIP LOCKED) RETURNING 1) SELECT count(*) FROM gone",
      pg::Params()
          .number(as_signed(before_ms))
          .number(static_cast<std::int64_t>(kMaxAuditForgotten)));
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return static_cast<std::size_t>(rows.number(0, 0));
}

}  // namespace martlet::store
