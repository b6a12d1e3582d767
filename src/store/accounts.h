#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/pg/connection.h"
#include "store/types.h"

namespace martlet::store {

// Accounts, devices and refresh tokens. Each call is one transaction; all block.

// False: the name is taken (case does not count).
pg::Result<bool> create_account(pg::Connection& connection, const UserId& user,
                                const std::string& password_hash, WallMs now_ms);

// None: no such user; empty: one without a password. Case counts.
pg::Result<std::optional<std::string>> find_password_hash(pg::Connection& connection,
                                                          const UserId& user);

// A login: the device's earlier tokens are void, it is no longer revoked, the new token is noted.
// Answers which devices were signed out to make room for this one (devices.h). Nothing is done for
// a device that is banned, nor for an account with a password if another service vouches.
pg::Result<LoginResult> start_login(pg::Connection& connection, const UserId& user,
                                    const DeviceId& device, const NewToken& token);

// Exchanges a refresh token for its successor. A token used before revokes its device, except at
// once after its use and with its successor unused (docs/adr/0030): then that one is void, and
// another takes its place.
pg::Result<RefreshResult> refresh(pg::Connection& connection, const Bytes& old_hash,
                                  const NewToken& token);

}  // namespace martlet::store
