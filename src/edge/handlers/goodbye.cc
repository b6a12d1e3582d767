#include "edge/handlers/handlers.h"

namespace martlet::edge {

Result<Taken> handle_goodbye(EdgeContext&, const Request& request) {
  const auto goodbye = wire::parse_goodbye(request.body);
  if (!goodbye) return tl::unexpected(goodbye.error());
  request.link.answer(request.id, wire::Command::GoodbyeOk, wire::encode(wire::GoodbyeOk{}));
  request.link.end(CloseReason::kGoodbye);
  return Taken::kYes;
}

}  // namespace martlet::edge
