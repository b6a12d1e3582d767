#include "api/gate.h"

#include "api/pages.h"
#include "base/log.h"

namespace martlet::api {
namespace {

int http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadId:
    case ErrorCode::kBadRange:
      return 400;
    case ErrorCode::kNotAuthenticated:
      return 401;
    case ErrorCode::kForbidden:
      return 403;
    case ErrorCode::kNoSuchUser:
    case ErrorCode::kNoSuchEdge:
    case ErrorCode::kNoSuchMessage:
      return 404;
    case ErrorCode::kTimeout:
      return 504;
    default:
      return 503;
  }
}

}  // namespace

Gate::Handler Gate::guard(auth::Role role, Handler handler) {
  return guard_act(role, [handler = std::move(handler)](
                             const std::string&, const service::HttpRequest& request,
                             const service::HttpReply& reply) { handler(request, reply); });
}

Gate::Handler Gate::guard_act(auth::Role role, Act act) {
  return [this, role, act = std::move(act)](const service::HttpRequest& request,
                                            const service::HttpReply& reply) {
    const auth::ApiToken* bearer = tokens_.find(request.bearer);
    if (bearer == nullptr) {
      const char* why = tokens_.size() == 0 ? "nobody has a token: see api.tokens"
                                            : "needs a token: Authorization: Bearer …";
      return refuse({ErrorCode::kNotAuthenticated, why, 0}, reply);
    }
    if (bearer->role < role) {
      const std::string needed(auth::role_name(role));
      return refuse({ErrorCode::kForbidden, "needs the role " + needed, 0}, reply);
    }
    act(bearer->name, request, reply);
  };
}

void Gate::look() {
  const Result<bool> changed = tokens_.look();
  const std::string problem = changed ? "" : changed.error().detail;
  if (changed && *changed) {
    MARTLET_LOG(info, "api_tokens_changed tokens={}", tokens_.size());
  } else if (!problem.empty() && problem != problem_) {
    MARTLET_LOG(warn, "api_tokens_not_read why=\"{}\"", problem);
  }
  problem_ = problem;
}

void Gate::refuse(const Error& error, const service::HttpReply& reply) {
  metrics_.refused(error.code);
  reply.json(http_status(error.code), error_page(error));
}

}  // namespace martlet::api
