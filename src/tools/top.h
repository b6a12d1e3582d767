#pragma once

#include "tools/tool.h"

namespace martlet::tools {

struct TopOptions {
  bool once = false;
  double interval_s = 1;
};

// How all processes of the cluster are, as an api of it hears: again and again on a terminal until
// q or Ctrl-C, once for anything else.
Exit top(const ToolOptions& options, const TopOptions& top);

}  // namespace martlet::tools
