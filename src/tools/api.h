#pragma once

#include <nlohmann/json.hpp>

#include "net/http_call.h"
#include "tools/tool.h"

namespace martlet::tools {

// The exit code for what ask_api could not: a missing --api is wrong arguments.
Exit fail_asking(const ToolOptions& options, const Error& error);

// What an api of the cluster answers, as JSON; asked with the token of --api-token-file, if there
// is one. What it refuses has its error code.
Result<nlohmann::json> ask_api(const ToolOptions& options, net::HttpQuestion question);

// "2026-11-23T08:00:00Z"
std::string utc(std::uint64_t ms);

}  // namespace martlet::tools
