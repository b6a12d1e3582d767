#pragma once

#include "config/keys.h"
#include "dispatcher/shard_core.h"

namespace martlet::dispatcher {

// What a dispatcher can be told.
struct DispatcherOptions {
  ShardLimits shard;
  int replicas = 1;
};

void declare(config::Keys& keys, DispatcherOptions& options);

}  // namespace martlet::dispatcher
