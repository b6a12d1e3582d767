#include "api/options.h"

namespace martlet::api {

void declare(config::Keys& keys, ApiOptions& options) {
  keys.url("redis.url", &options.redis_url,
           "the directory of sessions: redis://:PASSWORD@HOST:PORT/DB");
}

}  // namespace martlet::api
