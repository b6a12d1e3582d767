#pragma once

#include <vector>

#include "service/limit.h"

namespace martlet::persist {

// The limits of limits.h for --describe.
std::vector<service::Limit> limits();

}  // namespace martlet::persist
