#pragma once

#include <cstddef>
#include <span>

#include "edge/context.h"

namespace martlet::edge {

using Handler = Result<Taken> (*)(EdgeContext& edge, const Request& request);

// What the edge does with a command. Which commands need AUTH stands in wire/commands.h.
struct CommandRule {
  wire::Command command;
  std::size_t max_body_bytes;
  Handler handle;
};

std::span<const CommandRule> command_rules();
const CommandRule* find_rule(wire::Command command);

}  // namespace martlet::edge
