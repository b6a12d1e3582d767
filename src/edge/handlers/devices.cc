#include "bus/subjects.h"
#include "edge/ask_persist.h"
#include "edge/handlers/handlers.h"
#include "wire/group_requests.h"

namespace martlet::edge {

Result<Taken> handle_devices(EdgeContext& edge, const Request& request) {
  const auto parsed = wire::parse_devices(request.body);
  if (!parsed) return tl::unexpected(parsed.error());
  return ask_persist(edge, request, bus::subject::rpc_account());
}

}  // namespace martlet::edge
