#pragma once

#include <string>

#include "tools/tool.h"

namespace martlet::tools {

// Where a user is connected, as the api service tells.
Exit who(const ToolOptions& options, const std::string& user);

}  // namespace martlet::tools
