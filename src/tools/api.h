#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "net/http_call.h"
#include "tools/tool.h"

namespace martlet::tools {

// The exit code for what ask_api could not: a missing --api is wrong arguments.
Exit fail_asking(const ToolOptions& options, const Error& error);

// What an api of the cluster answers, as JSON; asked with the token of --api-token-file, if there
// is one. What it refuses has its error code.
Result<nlohmann::json> ask_api(const ToolOptions& options, net::HttpQuestion question);

// A member of what it said; empty, zero, false: there is none, or it is something else. Nothing
// that the api might say ends the program.
std::string text_of(const nlohmann::json& object, const char* field);
std::uint64_t number_of(const nlohmann::json& object, const char* field);
bool is_true(const nlohmann::json& object, const char* field);

// "2026-11-23T08:00:00Z"
std::string utc(std::uint64_t ms);

}  // namespace martlet::tools
