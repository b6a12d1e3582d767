#include "edge/handlers/handlers.h"
#include "edge/login.h"

namespace martlet::edge {

Result<Taken> handle_auth(EdgeContext& edge, const Request& request) {
  const auto auth = wire::parse_auth(request.body);
  if (!auth) return tl::unexpected(auth.error());
  const auto claims = edge.verify_token(auth->access_token, edge.clock.wall_ms());
  Session& session = request.link.session();
  if (!claims) {
    if (!session.bad_token()) return tl::unexpected(claims.error());
    request.link.refuse(request.id, claims.error());
    request.link.end(CloseReason::kBadTokens);
    return Taken::kYes;
  }
  if (const auto same = session.check_identity(claims->user, claims->device); !same) {
    return tl::unexpected(same.error());
  }
  if (session.is_authenticated()) {
    renew_session(edge, request, *claims);
  } else {
    begin_session(edge, request, *claims);
  }
  return Taken::kYes;
}

}  // namespace martlet::edge
