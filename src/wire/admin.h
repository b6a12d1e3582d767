#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "model/ids.h"

// What people do to users and edges (schemas/bus.fbs), asked of persist by the api. Same rules as
// envelopes.h.
namespace martlet::wire {

enum class AdminAct : std::uint8_t {
  kKick = 1,    // ends the sessions; the devices may come back
  kDrain = 2,   // the edge stops as on SIGTERM
  kRevoke = 3,  // signs out: the devices must log in with the password
  kBan = 4,     // the same, and the device may not log in any more
  kUnban = 5,
};

struct AdminActName {
  AdminAct act;
  std::string_view name;
};
inline constexpr std::array kAdminActs{
    AdminActName{AdminAct::kKick, "kick"},     AdminActName{AdminAct::kDrain, "drain"},
    AdminActName{AdminAct::kRevoke, "revoke"}, AdminActName{AdminAct::kBan, "ban"},
    AdminActName{AdminAct::kUnban, "unban"},
};
std::string_view act_name(AdminAct act);

// im.rpc.admin. Drain has an edge; the others have a user, and a device or (Kick, Revoke) none: all
// of the user's.
struct AdminRequest {
  AdminAct act = AdminAct::kKick;
  std::string who;  // a name of the api's tokens
  UserId user;
  DeviceId device;
  EdgeId edge;
};

// kNone: it is in the audit log, and done or under way.
struct AdminAnswer {
  Error error{.code = ErrorCode::kNone};
  std::uint32_t devices = 0;  // that it signed out
};

// im.rpc.audit
struct AuditQuestion {
  std::uint64_t before = 0;  // an id; 0: from the latest on
  std::uint32_t limit = 0;   // at most kMaxAuditRows
};

struct AuditRow {
  std::uint64_t id = 0;
  WallMs time_ms = 0;
  AdminRequest request;
};

struct AuditAnswer {
  Error error{.code = ErrorCode::kNone};
  std::vector<AuditRow> rows;  // the latest first
};

Bytes encode(const AdminRequest& request);
Bytes encode(const AdminAnswer& answer);
Bytes encode(const AuditQuestion& question);
Bytes encode(const AuditAnswer& answer);

Result<AdminRequest> parse_admin_request(BytesView bytes);
Result<AdminAnswer> parse_admin_answer(BytesView bytes);
Result<AuditQuestion> parse_audit_question(BytesView bytes);
Result<AuditAnswer> parse_audit_answer(BytesView bytes);

}  // namespace martlet::wire
