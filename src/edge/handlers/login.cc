#include "bus/subjects.h"
#include "edge/ask_persist.h"
#include "edge/handlers/handlers.h"

namespace martlet::edge {

Result<Taken> handle_login(EdgeContext& edge, const Request& request) {
  const auto parsed = wire::parse_login(request.body);
  if (!parsed) return tl::unexpected(parsed.error());
  const std::uint64_t number = request.link.number();
  const auto may = edge.door.may_log_in(number, parsed->user, edge.clock.now());
  if (!may) return tl::unexpected(may.error());
  return ask_persist(edge, request, bus::subject::rpc_account(),
                     [&edge, number, user = parsed->user](const Error& error) {
                       if (error.code != ErrorCode::kWrongPassword) return;
                       edge.door.wrong_password(number, user, edge.clock.now());
                     });
}

}  // namespace martlet::edge
