#pragma once

#include <cstdint>
#include <string>

#include "tools/tool.h"

// What people do to users and edges, through an api of the cluster.
namespace martlet::tools {

Exit admin_edges(const ToolOptions& options);
Exit admin_drain(const ToolOptions& options, const std::string& edge);
// act: kick, revoke, ban or unban; device empty: all of the user's.
Exit admin_user(const ToolOptions& options, const std::string& act, const std::string& user,
                const std::string& device);
Exit admin_audit(const ToolOptions& options, std::uint32_t limit);

}  // namespace martlet::tools
