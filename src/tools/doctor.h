#pragma once

#include "tools/tool.h"

namespace martlet::tools {

// Asks an api of the cluster and looks at what it tells, at the edges that it names, and at this
// machine. Each check is a line; kRefused if one failed.
Exit doctor(const ToolOptions& options);

}  // namespace martlet::tools
