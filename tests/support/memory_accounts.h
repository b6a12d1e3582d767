#pragma once

#include "base/result.h"
#include "store/types.h"
#include "support/memory_tables.h"

// Accounts, devices and refresh tokens in memory, as in store/accounts.cc and devices.cc.
namespace martlet::test {

bool create_account(Tables& tables, const UserId& user, const std::string& password_hash,
                    WallMs now_ms);
// kInternal: a token with that hash is there already.
Result<store::LoginResult> start_login(Tables& tables, const UserId& user, const DeviceId& device,
                                       const store::NewToken& token);
Result<store::RefreshResult> refresh(Tables& tables, const Bytes& old_hash,
                                     const store::NewToken& token);
std::vector<store::DeviceRow> find_devices(const Tables& tables, const UserId& user, WallMs now_ms);
bool is_revoked(const Tables& tables, const UserId& user, const DeviceId& device);
std::vector<DeviceId> sign_out(Tables& tables, const store::SignOutRequest& request);
std::size_t forget_tokens(Tables& tables, WallMs now_ms);

// As in store/admin.cc.
store::AdminDone administer(Tables& tables, const wire::AdminRequest& request, WallMs now_ms);
std::vector<wire::AuditRow> audit(const Tables& tables, const wire::AuditQuestion& question);
std::size_t forget_audit(Tables& tables, WallMs before_ms);

}  // namespace martlet::test
