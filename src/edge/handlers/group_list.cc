#include "bus/subjects.h"
#include "edge/ask_persist.h"
#include "edge/handlers/handlers.h"
#include "wire/group_requests.h"

namespace martlet::edge {

Result<Taken> handle_group_list(EdgeContext& edge, const Request& request) {
  const auto parsed = wire::parse_group_list(request.body);
  if (!parsed) return tl::unexpected(parsed.error());
  return ask_persist(edge, request, bus::subject::rpc_read());
}

}  // namespace martlet::edge
