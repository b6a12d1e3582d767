#pragma once

#include "tools/tool.h"

namespace martlet::tools {

// One JSON object a line from standard input, {"command": "Ping", "body": {…}}, sent as a JSON
// frame; each frame that comes is printed as {"command", "request_id", "body"}. The next line is
// sent when the one before is answered. wait_s: listens so much longer when the input has ended.
Exit raw(const ToolOptions& options, double wait_s);

}  // namespace martlet::tools
