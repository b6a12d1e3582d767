#include "bus/subjects.h"
#include "edge/ask_persist.h"
#include "edge/handlers/handlers.h"

namespace martlet::edge {

Result<Taken> handle_sync(EdgeContext& edge, const Request& request) {
  const auto parsed = wire::parse_sync(request.body);
  if (!parsed) return tl::unexpected(parsed.error());
  if (parsed->page.empty()) request.link.session().hints().asked();
  return ask_persist_when_listening(edge, request, bus::subject::rpc_read());
}

}  // namespace martlet::edge
