#pragma once

#include <string>
#include <vector>

#include "api/edge_directory.h"
#include "base/error.h"
#include "registry/sessions.h"

// The bodies of the api's answers, as JSON text (docs/operations.md).
namespace martlet::api {

std::string edges_page(const std::vector<EdgeInfo>& edges);
std::string sessions_page(const UserId& user, const std::vector<registry::SessionRecord>& sessions);
std::string error_page(const Error& error);

}  // namespace martlet::api
