#pragma once

#include <string>

#include "tools/tool.h"

namespace martlet::tools {

// Makes an account; the same password then logs the device in.
Exit register_user(const ToolOptions& options, const std::string& user, const std::string& device,
                   const std::string& password);
Exit log_in(const ToolOptions& options, const std::string& user, const std::string& device,
            const std::string& password);

}  // namespace martlet::tools
