#pragma once

#include "config/keys.h"

namespace martlet::bus {

// The key nats.replicas, for each service that makes streams or the bucket: whoever comes first
// makes them, so it must be the same everywhere.
void declare_replicas(config::Keys& keys, int& replicas);

}  // namespace martlet::bus
