#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tools/tool.h"

namespace martlet::tools {

// Asks the api where a message is, and prints it.
Exit trace(const ToolOptions& options, const std::string& what);

// The question for the api: "/v1/trace?message=7". kBadId: what names no message.
Result<std::string> trace_path(const std::string& what);
// The api's answer for people.
std::string trace_text(const nlohmann::json& page);

}  // namespace martlet::tools
