#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "config/keys.h"
#include "event/loop.h"
#include "registry/sessions.h"

namespace martlet::registry {

struct RedisOptions {
  std::string url = "redis://127.0.0.1:6379/0";
  std::string tls_ca;  // PEM, for rediss://; empty: whom the system trusts
};

// The keys redis.*.
void declare(config::Keys& keys, RedisOptions& options);

// The directory in Redis together with a connection of its own, which connects by itself, again and
// again. Fails only if the options are of no use. Loop thread; the loop must outlive it.
Result<std::unique_ptr<Sessions>> connect(event::Loop& loop, const RedisOptions& options);

}  // namespace martlet::registry
