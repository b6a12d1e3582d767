#pragma once

#include <string>

#include "config/keys.h"

namespace martlet::api {

struct ApiOptions {
  std::string redis_url = "redis://127.0.0.1:6379/0";
};

void declare(config::Keys& keys, ApiOptions& options);

}  // namespace martlet::api
