#pragma once

#include <string>

#include "api/desired_edges.h"
#include "api/limits.h"
#include "config/keys.h"

namespace martlet::api {

struct ApiOptions {
  std::string redis_url = "redis://127.0.0.1:6379/0";
  std::string strategy = "least_active";
  std::string tokens;  // a file; empty: nobody has one
  ScaleOptions scale;
  Duration first_look = kFirstLook;
};

void declare(config::Keys& keys, ApiOptions& options);

}  // namespace martlet::api
