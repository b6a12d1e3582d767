#include "api/pages.h"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

namespace martlet::api {
namespace {

using Json = nlohmann::ordered_json;

// Labels may come from a configuration with bytes that are no UTF-8.
std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const Json& json) {
  return line_of(json) + "\n";
}

Json json_of(const EdgeInfo& edge) {
  return {{"edge", edge.edge.str()},         {"name", edge.name},
          {"address", edge.address},         {"http", edge.http},
          {"started_ms", edge.started_ms},   {"connections", edge.connections},
          {"sessions", edge.sessions},       {"draining", edge.draining},
          {"weight", edge.weight},           {"cpu_permille", edge.cpu_permille},
          {"loop_lag_us", edge.loop_lag_us}, {"output_bytes_per_s", edge.output_bytes_per_s}};
}

Json json_of(const std::vector<EdgeInfo>& edges) {
  Json list = Json::array();
  for (const EdgeInfo& edge : edges) list.push_back(json_of(edge));
  return {{"edges", list}};
}

// Whole numbers as such.
Json number_of(double value) {
  const bool is_whole = std::floor(value) == value && std::abs(value) < 1e15;
  return is_whole ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

Json json_of(const HeardService& service) {
  const wire::ServiceStatus& status = service.status;
  Json values = Json::object();
  std::map<std::uint16_t, Json> by_shard;
  for (const wire::StatusValue& value : status.values) {
    Json& target = value.shard ? by_shard[*value.shard] : values;
    target[value.name] = number_of(value.value);
  }
  Json shards = Json::array();
  for (auto& [shard, numbers] : by_shard) {
    shards.push_back({{"shard", shard}, {"values", std::move(numbers)}});
  }
  return {{"kind", status.kind},
          {"name", status.name},
          {"instance", status.instance},
          {"version", status.version},
          {"protocol", status.protocol},
          {"shards_configured", status.shards},
          {"started_ms", status.started_ms},
          {"now_ms", status.now_ms},
          {"heard_ms", service.heard_ms},
          {"silence_ms", to_ms<std::uint64_t>(service.silence)},
          {"gone", service.is_gone},
          {"ready", status.ready},
          {"why", status.why},
          {"values", std::move(values)},
          {"shards", std::move(shards)}};
}

}  // namespace

std::string status_page(const std::vector<HeardService>& services, WallMs now_ms,
                        const std::string& trouble) {
  Json list = Json::array();
  for (const HeardService& service : services) list.push_back(json_of(service));
  return text_of({{"now_ms", now_ms}, {"trouble", trouble}, {"services", std::move(list)}});
}

std::string edges_page(const std::vector<EdgeInfo>& edges) {
  return text_of(json_of(edges));
}

std::string edges_text(const std::vector<EdgeInfo>& edges) {
  return line_of(json_of(edges));
}

std::string edge_text(const EdgeInfo& edge) {
  return line_of(json_of(edge));
}

std::string gone_text(const EdgeId& edge) {
  return line_of({{"edge", edge.str()}});
}

std::string route_page(const EdgeInfo& edge, Strategy strategy) {
  return text_of({{"edge", edge.edge.str()},
                  {"name", edge.name},
                  {"address", edge.address},
                  {"strategy", strategy_name(strategy)}});
}

std::string scale_page(const DesiredEdges& desired, std::size_t live) {
  return text_of({{"desired_edges", desired.desired()},
                  {"live_edges", live},
                  {"need", desired.need()},
                  {"reason", desired.reason()}});
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

std::string act_page(const wire::AdminAnswer& answer) {
  return text_of({{"done", true}, {"signed_out", answer.devices}});
}

std::string audit_page(const wire::AuditAnswer& answer) {
  Json list = Json::array();
  for (const wire::AuditRow& row : answer.rows) {
    const wire::AdminRequest& request = row.request;
    list.push_back({{"id", row.id},
                    {"time_ms", row.time_ms},
                    {"who", request.who},
                    {"act", wire::act_name(request.act)},
                    {"user", request.user.str()},
                    {"device", request.device.str()},
                    {"edge", request.edge.str()}});
  }
  return text_of({{"acts", list}});
}

std::string error_page(const Error& error) {
  const std::string text =
      error.detail.empty() ? std::string(error_text(error.code)) : error.detail;
  return text_of({{"error", error_name(error.code)}, {"text", text}});
}

}  // namespace martlet::api
