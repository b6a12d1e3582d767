#include "store/devices.h"

#include "store/limits.h"
#include "store/signed.h"

namespace martlet::store {
namespace {

std::vector<DeviceId> devices_of(const pg::Rows& rows) {
  std::vector<DeviceId> devices;
  for (std::size_t i = 0; i < rows.size(); ++i)
    devices.push_back(DeviceId::trusted(rows.text(i, 0)));
  return devices;
}

}  // namespace

void lock_account(pg::Transaction& tx, const UserId& user) {
  tx.query("SELECT 1 FROM accounts WHERE user_id = $1 FOR UPDATE", pg::Params().text(user.str()));
}

// A device whose tokens have all expired is not signed in any more.
pg::Result<std::vector<DeviceRow>> find_devices(pg::Connection& connection, const UserId& user,
                                                WallMs now_ms) {
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  const pg::Rows rows = tx.query(
      "SELECT d.device_id, d.last_login_ms FROM devices d WHERE d.user_id = $1 AND NOT d.revoked "
      "AND EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.user_id = d.user_id AND t.device_id = "
      "d.device_id AND t.login = d.login AND t.expires_ms > $2::bigint) ORDER BY d.last_login_ms "
      "DESC, d.device_id LIMIT $3::bigint",
      pg::Params()
          .text(user.str())
          .number(as_signed(now_ms))
          .number(static_cast<std::int64_t>(kMaxDevicesPerUser)));
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  std::vector<DeviceRow> devices;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    devices.push_back({DeviceId::trusted(rows.text(i, 0)), static_cast<WallMs>(rows.number(i, 1))});
  }
  return devices;
}

pg::Result<bool> is_revoked(pg::Connection& connection, const UserId& user,
                            const DeviceId& device) {
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  const pg::Rows rows = tx.query(
      "SELECT 1 FROM devices WHERE user_id = $1 AND device_id = $2 AND (revoked OR banned)",
      pg::Params().text(user.str()).text(device.str()));
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return !rows.empty();
}

pg::Result<std::vector<DeviceId>> sign_out(pg::Connection& connection,
                                           const SignOutRequest& request) {
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  lock_account(tx, request.user);
  const bool is_one = !request.device.empty();
  const DeviceId& named = is_one ? request.device : request.asking;
  const pg::Rows rows = tx.query(
      "UPDATE devices SET revoked = true WHERE user_id = $1 AND NOT revoked AND (device_id = $2) = "
      "$3::boolean RETURNING device_id",
      pg::Params().text(request.user.str()).text(named.str()).text(is_one ? "true" : "false"));
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return devices_of(rows);
}

std::vector<DeviceId> sign_out_by_others(pg::Transaction& tx, const UserId& user,
                                         const DeviceId& device) {
  return devices_of(
      tx.query("UPDATE devices SET revoked = true WHERE user_id = $1 AND NOT revoked AND ($2 = '' "
               "OR device_id = $2) RETURNING device_id",
               pg::Params().text(user.str()).text(device.str())));
}

std::vector<DeviceId> sign_out_oldest(pg::Transaction& tx, const UserId& user,
                                      const DeviceId& kept) {
  return devices_of(tx.query(
      "UPDATE devices SET revoked = true WHERE user_id = $1 AND device_id IN (SELECT device_id "
      "FROM devices WHERE user_id = $1 AND device_id <> $2 AND NOT revoked ORDER BY last_login_ms "
      "DESC, device_id OFFSET $3::bigint) RETURNING device_id",
      pg::Params()
          .text(user.str())
          .text(kept.str())
          .number(static_cast<std::int64_t>(kMaxDevicesPerUser - 1))));
}

// Another process may do the same: what it deletes is passed over.
pg::Result<std::size_t> forget_tokens(pg::Connection& connection, WallMs now_ms) {
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  const pg::Rows rows = tx.query(
      "WITH gone AS (DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens "
      "WHERE expires_ms <= $1::bigint LIMIT $2::bigint FOR UPDATE SKIP LOCKED) RETURNING 1) SELECT "
      "count(*) FROM gone",
      pg::Params()
          .number(as_signed(now_ms) - as_signed(kKeepExpiredTokensMs))
          .number(static_cast<std::int64_t>(kMaxTokensForgotten)));
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return static_cast<std::size_t>(rows.number(0, 0));
}

}  // namespace martlet::store
