#pragma once

#include <string>

#include "tools/cluster_status.h"

namespace martlet::tools {

// The tables of `martlet top` as text. before: an earlier look, for what happens in a second; null:
// there was none, and such columns stay empty.
std::string top_table(const ClusterStatus& now, const ClusterStatus* before);

}  // namespace martlet::tools
