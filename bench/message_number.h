#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "model/ids.h"

namespace martlet::bench {

// Messages are numbered 0, 1, 2 … in the order of sending. The number is part of the id (a proper
// UUIDv7 otherwise), so that every answer and event says at once which message it is about.
ClientMsgId make_numbered_id(WallMs now, std::uint64_t number);
// None: not one of ours.
std::optional<std::uint64_t> number_of(const ClientMsgId& id);

}  // namespace martlet::bench
