#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "event/loop.h"
#include "registry/sessions.h"

namespace martlet::registry {

// The directory in Redis together with a connection of its own, which connects by itself, again and
// again. Fails only if the URL is malformed. Loop thread; the loop must outlive it.
Result<std::unique_ptr<Sessions>> connect(event::Loop& loop, std::string_view redis_url);

}  // namespace martlet::registry
