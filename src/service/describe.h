#pragma once

#include <string>
#include <vector>

#include "config/keys.h"
#include "metrics/registry.h"
#include "service/run.h"

namespace martlet::service {

// The JSON of --describe: {"service", "version", "keys", "metrics", "limits", "errors"}.
// docs/operations.md is made from it.
std::string describe(const Definition& definition, const config::Keys& keys,
                     const metrics::Registry& registry);

}  // namespace martlet::service
