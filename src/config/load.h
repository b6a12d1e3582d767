#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/keys.h"

namespace martlet::config {

// Where values come from. A later one wins: default, file, environment, flags.
struct Sources {
  std::vector<std::string> arguments;    // without the program's name
  std::vector<std::string> environment;  // "NAME=value"
};
Sources process_sources(int argc, char** argv);

// Fills all fields of the keys. Flags are --key=value or --key value; --config FILE (or
// MARTLET_CONFIG) names a TOML file; the variable of edge.listen is MARTLET_EDGE_LISTEN. Variables
// that begin with MARTLET_TEST_ or MARTLET_BUILD_ belong to the development commands, and those of
// tool_variables.h to the tool.
//
// Fails with one line that names the key, its value and what is allowed; on an unknown key,
// variable or flag (with the nearest known one); on a required key that nobody gave. Start-up only.
Result<void> load(Keys& keys, const Sources& sources);

}  // namespace martlet::config
