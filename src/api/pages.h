#pragma once

#include <string>
#include <vector>

#include "api/desired_edges.h"
#include "api/edge_directory.h"
#include "api/router.h"
#include "api/service_directory.h"
#include "base/error.h"
#include "registry/sessions.h"
#include "wire/admin.h"

// The bodies of the api's answers, as JSON text (docs/operations.md).
namespace martlet::api {

std::string edges_page(const std::vector<EdgeInfo>& edges);
std::string route_page(const EdgeInfo& edge, Strategy strategy);
std::string scale_page(const DesiredEdges& desired, std::size_t live);
// now_ms: our clock. trouble: why we may not have heard everybody; empty: nothing.
std::string status_page(const std::vector<HeardService>& services, WallMs now_ms,
                        const std::string& trouble);
std::string sessions_page(const UserId& user, const std::vector<registry::SessionRecord>& sessions);
std::string act_page(const wire::AdminAnswer& answer);
std::string audit_page(const wire::AuditAnswer& answer);
std::string error_page(const Error& error);

// The data of events, each in one line.
std::string edges_text(const std::vector<EdgeInfo>& edges);
std::string edge_text(const EdgeInfo& edge);
std::string gone_text(const EdgeId& edge);

}  // namespace martlet::api
