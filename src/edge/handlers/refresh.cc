#include "bus/subjects.h"
#include "edge/ask_persist.h"
#include "edge/handlers/handlers.h"

namespace martlet::edge {

Result<Taken> handle_refresh(EdgeContext& edge, const Request& request) {
  const auto parsed = wire::parse_refresh(request.body);
  if (!parsed) return tl::unexpected(parsed.error());
  const auto may = edge.door.may_refresh(request.link.number(), edge.clock.now());
  if (!may) return tl::unexpected(may.error());
  return ask_persist(edge, request, bus::subject::rpc_account());
}

}  // namespace martlet::edge
