#include "store/accounts.h"

#include <algorithm>
#include <limits>

#include "store/devices.h"
#include "store/limits.h"
#include "store/signed.h"

namespace martlet::store {
namespace {

constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();

void insert_token(pg::Transaction& tx, const UserId& user, const DeviceId& device,
                  std::int64_t login, const NewToken& token, const std::optional<Bytes>& previous) {
  tx.query(
      "INSERT INTO refresh_tokens (hash, user_id, device_id, login, issued_ms, expires_ms, "
      "previous) VALUES ($1, $2, $3, $4, $5, $6, NULLIF($7, ''::bytea))",
      pg::Params()
          .bytes(token.hash)
          .text(user.str())
          .text(device.str())
          .number(login)
          .number(as_signed(token.now_ms))
          .number(as_signed(token.expires_ms))
          .bytes(previous.value_or(Bytes())));
}

NewToken bounded(NewToken token, std::int64_t until_ms) {
  token.expires_ms = static_cast<WallMs>(std::min(as_signed(token.expires_ms), until_ms));
  return token;
}

pg::Params device_key(const RefreshResult& result) {
  return pg::Params().text(result.user.str()).text(result.device.str());
}

// The token's row, locked after its device's row: the order that a login locks them in.
struct TokenRow {
  std::int64_t login = 0;
  bool revoked = false;  // the device, or the token's login is over
  bool used = false;
  bool used_just_now = false;
  bool expired = false;
  std::int64_t login_until_ms = 0;
};

std::optional<TokenRow> lock_token(pg::Transaction& tx, const Bytes& hash, WallMs now_ms,
                                   RefreshResult& result) {
  const pg::Rows owner = tx.query("SELECT user_id, device_id FROM refresh_tokens WHERE hash = $1",
                                  pg::Params().bytes(hash));
  if (owner.empty()) return std::nullopt;
  result.user = UserId::trusted(owner.text(0, 0));
  result.device = DeviceId::trusted(owner.text(0, 1));
  const pg::Rows device = tx.query(
      "SELECT login, revoked OR banned, login_until_ms FROM devices WHERE user_id = $1 AND "
      "device_id = $2 FOR UPDATE",
      device_key(result));
  const pg::Rows token = tx.query(
      "SELECT login, used_ms IS NOT NULL, expires_ms <= $2, coalesce(used_ms > $3, false) FROM "
      "refresh_tokens WHERE hash = $1 FOR UPDATE",
      pg::Params()
          .bytes(hash)
          .number(as_signed(now_ms))
          .number(as_signed(now_ms) - as_signed(kRefreshGraceMs)));
  if (device.empty() || token.empty()) return std::nullopt;
  return TokenRow{
      device.number(0, 0), device.truth(0, 1) || device.number(0, 0) != token.number(0, 0),
      token.truth(0, 1),   token.truth(0, 3),
      token.truth(0, 2),   device.number(0, 2)};
}

// True if it has successors and none of them was used.
bool has_fresh_successors(pg::Transaction& tx, const Bytes& hash, const RefreshResult& owner) {
  const pg::Rows rows = tx.query(
      "SELECT coalesce(bool_and(used_ms IS NULL), false) FROM refresh_tokens WHERE user_id = $1 "
      "AND device_id = $2 AND previous = $3",
      device_key(owner).bytes(hash));
  return !rows.empty() && rows.truth(0, 0);
}

// The other successors of the same token are void now. Presented after that, one of them is a token
// used before.
void void_siblings(pg::Transaction& tx, const Bytes& hash, const RefreshResult& owner,
                   WallMs now_ms) {
  tx.query(
      "UPDATE refresh_tokens SET used_ms = $4 WHERE user_id = $1 AND device_id = $2 AND hash <> $3 "
      "AND used_ms IS NULL AND previous = (SELECT previous FROM refresh_tokens WHERE hash = $3)",
      device_key(owner).bytes(hash).number(as_signed(now_ms)));
}

RefreshOutcome judge(pg::Transaction& tx, const std::optional<TokenRow>& row, const Bytes& hash,
                     const RefreshResult& owner) {
  if (!row) return RefreshOutcome::kInvalid;
  if (row->revoked) return RefreshOutcome::kRevoked;
  if (row->used) {
    const bool again = row->used_just_now && has_fresh_successors(tx, hash, owner);
    return again ? RefreshOutcome::kRepeated : RefreshOutcome::kReused;
  }
  if (row->expired) return RefreshOutcome::kExpired;
  return RefreshOutcome::kRenewed;
}

// Locks the account, which is made if there is none. False: it has a password, or another case.
bool lock_vouched_account(pg::Transaction& tx, const UserId& user, WallMs now_ms) {
  tx.query(
      "INSERT INTO accounts (user_id, password_hash, created_ms) VALUES ($1, '', $2) ON CONFLICT "
      "DO NOTHING",
      pg::Params().text(user.str()).number(as_signed(now_ms)));
  return !tx.query("SELECT 1 FROM accounts WHERE user_id = $1 AND password_hash = '' FOR UPDATE",
                   pg::Params().text(user.str()))
              .empty();
}

}  // namespace

pg::Result<bool> create_account(pg::Connection& connection, const UserId& user,
                                const std::string& password_hash, WallMs now_ms) {
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  const pg::Rows rows = tx.query(
      "INSERT INTO accounts (user_id, password_hash, created_ms) VALUES ($1, $2, $3) ON CONFLICT "
      "DO NOTHING RETURNING user_id",
      pg::Params().text(user.str()).text(password_hash).number(as_signed(now_ms)));
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return !rows.empty();
}

pg::Result<std::optional<std::string>> find_password_hash(pg::Connection& connection,
                                                          const UserId& user) {
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  const pg::Rows rows = tx.query("SELECT password_hash FROM accounts WHERE user_id = $1",
                                 pg::Params().text(user.str()));
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  if (rows.empty()) return std::nullopt;
  return std::string(rows.text(0, 0));
}

pg::Result<LoginResult> start_login(pg::Connection& connection, const UserId& user,
                                    const DeviceId& device, const NewToken& token) {
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  bool is_theirs = true;
  if (token.vouched_until_ms) {
    is_theirs = lock_vouched_account(tx, user, token.now_ms);
  } else {
    lock_account(tx, user);
  }
  const pg::Rows banned =
      tx.query("SELECT 1 FROM devices WHERE user_id = $1 AND device_id = $2 AND banned",
               pg::Params().text(user.str()).text(device.str()));
  if (!tx.ok()) return tl::unexpected(tx.error());
  if (!is_theirs) return LoginResult{LoginOutcome::kNotTheirs, {}};
  if (!banned.empty()) return LoginResult{LoginOutcome::kBanned, {}};
  const std::int64_t until_ms =
      token.vouched_until_ms ? as_signed(*token.vouched_until_ms) : kForEver;
  const pg::Rows rows = tx.query(
      "INSERT INTO devices AS d (user_id, device_id, login, last_login_ms, login_until_ms) VALUES "
      "($1, $2, 1, $3, $4) ON CONFLICT (user_id, device_id) DO UPDATE SET login = d.login + 1, "
      "revoked = false, last_login_ms = excluded.last_login_ms, login_until_ms = "
      "excluded.login_until_ms RETURNING login",
      pg::Params()
          .text(user.str())
          .text(device.str())
          .number(as_signed(token.now_ms))
          .number(until_ms));
  tx.query("DELETE FROM refresh_tokens WHERE user_id = $1 AND device_id = $2",
           pg::Params().text(user.str()).text(device.str()));
  if (!tx.ok()) return tl::unexpected(tx.error());
  insert_token(tx, user, device, rows.number(0, 0), bounded(token, until_ms), {});
  LoginResult result{LoginOutcome::kDone, sign_out_oldest(tx, user, device)};
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return result;
}

pg::Result<RefreshResult> refresh(pg::Connection& connection, const Bytes& old_hash,
                                  const NewToken& token) {
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  RefreshResult result;
  const auto row = lock_token(tx, old_hash, token.now_ms, result);
  if (!tx.ok()) return tl::unexpected(tx.error());
  result.outcome = judge(tx, row, old_hash, result);
  if (!tx.ok()) return tl::unexpected(tx.error());
  if (result.outcome == RefreshOutcome::kReused) {
    tx.query("UPDATE devices SET revoked = true WHERE user_id = $1 AND device_id = $2",
             device_key(result));
  } else if (result.outcome == RefreshOutcome::kRenewed) {
    tx.query("UPDATE refresh_tokens SET used_ms = $2 WHERE hash = $1",
             pg::Params().bytes(old_hash).number(as_signed(token.now_ms)));
    void_siblings(tx, old_hash, result, token.now_ms);
    tx.query(
        "DELETE FROM refresh_tokens WHERE user_id = $1 AND device_id = $2 AND expires_ms <= $3",
        device_key(result).number(as_signed(token.now_ms)));
    insert_token(tx, result.user, result.device, row->login, bounded(token, row->login_until_ms),
                 old_hash);
  } else if (result.outcome == RefreshOutcome::kRepeated) {
    insert_token(tx, result.user, result.device, row->login, bounded(token, row->login_until_ms),
                 old_hash);
  }
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return result;
}

}  // namespace martlet::store
