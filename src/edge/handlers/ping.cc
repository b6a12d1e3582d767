#include "edge/handlers/handlers.h"

namespace martlet::edge {

Result<Taken> handle_ping(EdgeContext& edge, const Request& request) {
  if (const auto ping = wire::parse_ping(request.body); !ping) return tl::unexpected(ping.error());
  if (request.id == 0) return Taken::kYes;
  request.link.answer(request.id, wire::Command::Pong,
                      wire::encode(wire::Pong{edge.clock.wall_ms()}));
  return Taken::kYes;
}

}  // namespace martlet::edge
