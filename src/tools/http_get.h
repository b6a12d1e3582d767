#pragma once

#include <string>

#include "base/result.h"

namespace martlet::tools {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// GET http://HOST:PORT<path>. Blocks. kUnavailable: no answer.
Result<HttpAnswer> http_get(const std::string& base_url, const std::string& path, double timeout_s);

}  // namespace martlet::tools
