#include "api/pages.h"

#include <nlohmann/json.hpp>

namespace martlet::api {
namespace {

using Json = nlohmann::ordered_json;

// Labels may come from a configuration with bytes that are no UTF-8.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string edges_page(const std::vector<EdgeInfo>& edges) {
  Json list = Json::array();
  for (const EdgeInfo& edge : edges) {
    list.push_back({{"edge", edge.edge.str()},
                    {"name", edge.name},
                    {"address", edge.address},
                    {"http", edge.http},
                    {"started_ms", edge.started_ms},
                    {"connections", edge.connections},
                    {"sessions", edge.sessions},
                    {"draining", edge.draining}});
  }
  return text_of({{"edges", list}});
}

std::string sessions_page(const UserId& user,
                          const std::vector<registry::SessionRecord>& sessions) {
  Json list = Json::array();
  for (const registry::SessionRecord& session : sessions) {
    list.push_back({{"device", session.device.str()},
                    {"session", to_string(session.session)},
                    {"edge", session.edge.str()},
                    {"address", session.address},
                    {"since_ms", session.since_ms}});
  }
  return text_of({{"user", user.str()}, {"sessions", list}});
}

std::string error_page(const Error& error) {
  const std::string text =
      error.detail.empty() ? std::string(error_text(error.code)) : error.detail;
  return text_of({{"error", error_name(error.code)}, {"text", text}});
}

}  // namespace martlet::api
