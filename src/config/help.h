#pragma once

#include <string>
#include <string_view>

#include "config/keys.h"

namespace martlet::config {

// edge.listen -> MARTLET_EDGE_LISTEN
std::string variable_of(std::string_view key);

// The text of --help: every key with type, default, bounds and meaning.
std::string help(std::string_view program, const Keys& keys);

// What is in effect, on one line for the log: key=value, secrets masked.
std::string effective(const Keys& keys);

}  // namespace martlet::config
