#pragma once

#include <string>
#include <string_view>

namespace martlet::config {

// A URL (or several, with commas) without its passwords and tokens, for logs:
// nats://user:***@host:4222. In doubt it hides more rather than less.
std::string mask_url(std::string_view text);

}  // namespace martlet::config
