#include "wire/admin.h"

#include "wire/bus_fields.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

static_assert(static_cast<int>(AdminAct::kKick) == static_cast<int>(busproto::AdminAct::Kick));
static_assert(static_cast<int>(AdminAct::kUnban) == static_cast<int>(busproto::AdminAct::Unban));
static_assert(busproto::AdminAct::MAX == busproto::AdminAct::Unban);

// Requests and rows say the same of an act.
template <class Table>
AdminRequest read_request(const Table& table, FieldReader& read) {
  AdminRequest out;
  if (table.act() == busproto::AdminAct::Unknown) {
    read.refuse(ErrorCode::kBadBody, "act", "is unknown");
  }
  out.act = static_cast<AdminAct>(read.enumerator(table.act(), busproto::AdminAct::MAX, "act"));
  out.who = read.name_view(table.who(), "who");
  if (table.user() != nullptr) out.user = read.user(table.user(), "user");
  if (table.device() != nullptr) out.device = read.device(table.device(), "device");
  if (table.edge() != nullptr) out.edge = read.edge(table.edge(), "edge");
  const bool is_ban = out.act == AdminAct::kBan || out.act == AdminAct::kUnban;
  const bool is_drain = out.act == AdminAct::kDrain;
  if (is_drain == out.edge.empty() || is_drain != out.user.empty()) {
    read.refuse(ErrorCode::kBadBody, "act", "concerns an edge or a user");
  }
  if (is_ban && out.device.empty()) read.refuse(ErrorCode::kBadBody, "device", "is missing");
  return out;
}

struct Names {
  explicit Names(Builder& builder, const AdminRequest& request)
      : who(put(builder, request.who)),
        user(put_some(builder, request.user.str())),
        device(put_some(builder, request.device.str())),
        edge(put_some(builder, request.edge.str())) {}
  flatbuffers::Offset<flatbuffers::String> who, user, device, edge;
};

}  // namespace

std::string_view act_name(AdminAct act) {
  for (const AdminActName& entry : kAdminActs) {
    if (entry.act == act) return entry.name;
  }
  return "unknown";
}

Bytes encode(const AdminRequest& request) {
  MARTLET_ASSERT(is_valid_id(request.who));
  Builder builder(512);
  const Names names(builder, request);
  return finish(builder,
                busproto::CreateAdminRequest(builder, static_cast<busproto::AdminAct>(request.act),
                                             names.who, names.user, names.device, names.edge));
}

Bytes encode(const AdminAnswer& answer) {
  Builder builder(256);
  const auto detail = put_some(builder, answer.error.detail);
  return finish(builder,
                busproto::CreateAdminAnswer(builder, static_cast<std::uint16_t>(answer.error.code),
                                            detail, answer.devices));
}

Bytes encode(const AuditQuestion& question) {
  Builder builder(64);
  return finish(builder, busproto::CreateAuditQuestion(builder, question.before, question.limit));
}

Bytes encode(const AuditAnswer& answer) {
  MARTLET_ASSERT(answer.rows.size() <= kMaxAuditRows);
  Builder builder(1024);
  const auto detail = put_some(builder, answer.error.detail);
  std::vector<flatbuffers::Offset<busproto::AuditRow>> rows;
  rows.reserve(answer.rows.size());
  for (const AuditRow& row : answer.rows) {
    const Names names(builder, row.request);
    rows.push_back(busproto::CreateAuditRow(builder, row.id, row.time_ms,
                                            static_cast<busproto::AdminAct>(row.request.act),
                                            names.who, names.user, names.device, names.edge));
  }
  return finish(builder,
                busproto::CreateAuditAnswer(builder, static_cast<std::uint16_t>(answer.error.code),
                                            detail, builder.CreateVector(rows)));
}

Result<AdminRequest> parse_admin_request(BytesView bytes) {
  const auto table = read_envelope<busproto::AdminRequest>(bytes, "AdminRequest");
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  AdminRequest out = read_request(**table, read);
  return read.result(std::move(out));
}

Result<AdminAnswer> parse_admin_answer(BytesView bytes) {
  const auto table = read_envelope<busproto::AdminAnswer>(bytes, "AdminAnswer");
  if (!table) return tl::unexpected<Error>(table.error());
  return AdminAnswer{read_error(**table), (*table)->devices()};
}

Result<AuditQuestion> parse_audit_question(BytesView bytes) {
  const auto table = read_envelope<busproto::AuditQuestion>(bytes, "AuditQuestion");
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  if ((*table)->limit() == 0 || (*table)->limit() > kMaxAuditRows) {
    read.refuse(ErrorCode::kBadRange, "limit", "is out of range");
  }
  return read.result(AuditQuestion{(*table)->before(), (*table)->limit()});
}

Result<AuditAnswer> parse_audit_answer(BytesView bytes) {
  const auto table = read_envelope<busproto::AuditAnswer>(bytes, "AuditAnswer");
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  AuditAnswer out;
  out.error = read_error(**table);
  const auto* rows = (*table)->rows();
  if (rows != nullptr && rows->size() > kMaxAuditRows) {
    read.refuse(ErrorCode::kBadBody, "rows", "are too many");
  } else if (rows != nullptr) {
    for (const auto* row : *rows) {
      out.rows.push_back({row->id(), row->time_ms(), read_request(*row, read)});
    }
  }
  return read.result(std::move(out));
}

}  // namespace martlet::wire
