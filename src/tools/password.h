#pragma once

#include <string>

#include "base/result.h"

namespace martlet::tools {

// Never an argument, which all users of the machine can see: from a file ("-": a line of standard
// input), else the environment (MARTLET_PASSWORD), else asked on the terminal.
Result<std::string> read_password(const std::string& file, const std::string& user);

}  // namespace martlet::tools
