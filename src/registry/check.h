#pragma once

#include "base/finding.h"
#include "registry/connect.h"

namespace martlet::registry {

// Whether the directory takes us. Blocks for some seconds at most; before anything else of the
// process runs.
Findings check(const RedisOptions& options);

}  // namespace martlet::registry
