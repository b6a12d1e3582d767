#pragma once

#include <string>

#include "api/desired_edges.h"
#include "api/limits.h"
#include "config/keys.h"
#include "registry/connect.h"

namespace martlet::api {

struct ApiOptions {
  registry::RedisOptions redis;
  std::string strategy = "least_active";
  std::string tokens;  // a file; empty: nobody has one
  ScaleOptions scale;
  Duration first_look = kFirstLook;
};

void declare(config::Keys& keys, ApiOptions& options);

}  // namespace martlet::api
