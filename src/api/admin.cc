#include "api/admin.h"

#include <charconv>
#include <optional>
#include <utility>

#include "api/limits.h"
#include "api/pages.h"
#include "bus/subjects.h"
#include "wire/limits.h"

namespace martlet::api {
namespace {

using service::HttpMethod;
using service::HttpReply;
using service::HttpRequest;
using wire::AdminAct;

// Empty: `otherwise`. None: not a number.
std::optional<std::uint64_t> number_of(std::string_view text, std::uint64_t otherwise) {
  if (text.empty()) return otherwise;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void Admin::add_pages(service::HttpServer& http) {
  const auto post = [&](const char* path, auth::Role role, Gate::Act act) {
    http.route(path, parts_.gate.guard_act(role, std::move(act)), HttpMethod::kPost);
  };
  const auto on_user = [&](const char* path, auth::Role role, AdminAct act) {
    post(path, role,
         [this, act](const std::string& who, const HttpRequest& request, const HttpReply& reply) {
           act_on_user(act, who, request, reply);
         });
  };
  post("/v1/edges/*/drain", auth::Role::kOperator,
       [this](const std::string& who, const HttpRequest& request, const HttpReply& reply) {
         drain(who, request, reply);
       });
  on_user("/v1/users/*/kick", auth::Role::kOperator, AdminAct::kKick);
  on_user("/v1/users/*/devices/*/kick", auth::Role::kOperator, AdminAct::kKick);
  on_user("/v1/users/*/revoke", auth::Role::kAdmin, AdminAct::kRevoke);
  on_user("/v1/users/*/devices/*/revoke", auth::Role::kAdmin, AdminAct::kRevoke);
  on_user("/v1/users/*/devices/*/ban", auth::Role::kAdmin, AdminAct::kBan);
  on_user("/v1/users/*/devices/*/unban", auth::Role::kAdmin, AdminAct::kUnban);
  http.route("/v1/audit", parts_.gate.guard(auth::Role::kAdmin, [this](const HttpRequest& request,
                                                                       const HttpReply& reply) {
    audit(request, reply);
  }));
}

void Admin::drain(const std::string& who, const HttpRequest& request, const HttpReply& reply) {
  parts_.metrics.requested(Page::kAct);
  wire::AdminRequest act;
  act.act = AdminAct::kDrain;
  act.who = who;
  const auto edge = EdgeId::parse(request.stars.at(0));
  if (!edge) return parts_.gate.refuse({ErrorCode::kBadId, "edge: not an id", 0}, reply);
  if (!parts_.edges.is_live(*edge, parts_.loop.now())) {
    return parts_.gate.refuse({ErrorCode::kNoSuchEdge, "", 0}, reply);
  }
  act.edge = *edge;
  ask(act, reply);
}

void Admin::act_on_user(AdminAct kind, const std::string& who, const HttpRequest& request,
                        const HttpReply& reply) {
  parts_.metrics.requested(Page::kAct);
  wire::AdminRequest act;
  act.act = kind;
  act.who = who;
  const auto user = UserId::parse(request.stars.at(0));
  if (!user) return parts_.gate.refuse({ErrorCode::kBadId, "user: not an id", 0}, reply);
  act.user = *user;
  if (request.stars.size() > 1) {
    const auto device = DeviceId::parse(request.stars.at(1));
    if (!device) return parts_.gate.refuse({ErrorCode::kBadId, "device: not an id", 0}, reply);
    act.device = *device;
  }
  ask(act, reply);
}

void Admin::ask(const wire::AdminRequest& request, const HttpReply& reply) {
  parts_.bus.request(bus::subject::rpc_admin(), wire::encode(request), kAdminTimeout,
                     answer_to(reply, wire::parse_admin_answer, act_page));
}

template <class Answer>
bus::Bus::Reply Admin::answer_to(const HttpReply& reply, Result<Answer> (*parse)(BytesView),
                                 std::string (*page)(const Answer&)) {
  return
      [this, reply, parse, page, alive = std::weak_ptr<int>(alive_)](const Result<Bytes>& bytes) {
        if (alive.expired()) return;
        const Result<Answer> answer = bytes ? parse(*bytes) : tl::unexpected(bytes.error());
        if (!answer) return parts_.gate.refuse(answer.error(), reply);
        if (answer->error.code != ErrorCode::kNone) return parts_.gate.refuse(answer->error, reply);
        reply.json(200, page(*answer));
      };
}

void Admin::audit(const HttpRequest& request, const HttpReply& reply) {
  parts_.metrics.requested(Page::kAudit);
  const auto before = number_of(request.parameter("before"), 0);
  const auto limit = number_of(request.parameter("limit"), kAuditRows);
  if (!before || !limit || *limit == 0 || *limit > wire::kMaxAuditRows) {
    const std::string most = std::to_string(wire::kMaxAuditRows);
    return parts_.gate.refuse(
        {ErrorCode::kBadRange, "before: an id of a row; limit: 1 to " + most, 0}, reply);
  }
  const wire::AuditQuestion question{*before, static_cast<std::uint32_t>(*limit)};
  parts_.bus.request(bus::subject::rpc_audit(), wire::encode(question), kAdminTimeout,
                     answer_to(reply, wire::parse_audit_answer, audit_page));
}

}  // namespace martlet::api
