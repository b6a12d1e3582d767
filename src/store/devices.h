#pragma once

#include <vector>

#include "lib/pg/connection.h"
#include "store/types.h"

namespace martlet::store {

// The devices of a user that are signed in. Each call is one transaction; all block.

// In order of their logins, the latest first.
pg::Result<std::vector<DeviceRow>> find_devices(pg::Connection& connection, const UserId& user,
                                                WallMs now_ms);

// Signed out and not logged in again, or banned.
pg::Result<bool> is_revoked(pg::Connection& connection, const UserId& user, const DeviceId& device);

// Answers those that were signed in before. Their refresh tokens are void, and stay until they
// expire, so that who uses one hears why.
pg::Result<std::vector<DeviceId>> sign_out(pg::Connection& connection,
                                           const SignOutRequest& request);

// The device, or all of the user's if it is empty; answers those that were signed in. Part of an
// administrative act; the caller has locked the account.
std::vector<DeviceId> sign_out_by_others(pg::Transaction& tx, const UserId& user,
                                         const DeviceId& device);

// Signs out the devices with the oldest logins until kMaxDevicesPerUser are left, `kept` among
// them. Part of a login; the caller has locked the account.
std::vector<DeviceId> sign_out_oldest(pg::Transaction& tx, const UserId& user,
                                      const DeviceId& kept);

// Locks the user's account: logins and sign-outs of one user come one after the other.
void lock_account(pg::Transaction& tx, const UserId& user);

// Deletes refresh tokens that expired kKeepExpiredTokensMs ago, at most kMaxTokensForgotten.
pg::Result<std::size_t> forget_tokens(pg::Connection& connection, WallMs now_ms);

}  // namespace martlet::store
