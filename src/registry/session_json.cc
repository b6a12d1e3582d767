#include "registry/session_json.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace martlet::registry {
namespace {

using Json = nlohmann::json;

std::optional<SessionId> parse_session(std::string_view hex) {
  SessionId id;
  if (hex.size() != 32) return std::nullopt;
  const char* middle = hex.data() + 16;
  const auto time = std::from_chars(hex.data(), middle, id.time_ms, 16);
  const auto random = std::from_chars(middle, middle + 16, id.random, 16);
  if (time.ptr != middle || random.ptr != middle + 16) return std::nullopt;
  return id;
}

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

WallMs number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<WallMs>() : 0;
}

}  // namespace

std::string to_json(const SessionRecord& record, WallMs expires_ms) {
  const Json object{{"session", to_string(record.session)},
                    {"edge", record.edge.str()},
                    {"address", record.address},
                    {"since_ms", record.since_ms},
                    {"expires_ms", expires_ms}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<SessionRecord> from_json(const UserId& user, std::string_view device,
                                       std::string_view json, WallMs now_ms) {
  const Json object = Json::parse(json, nullptr, false);
  if (!object.is_object() || number(object, "expires_ms") <= now_ms) return std::nullopt;
  const auto device_id = DeviceId::parse(device);
  const auto session = parse_session(text(object, "session"));
  const auto edge = EdgeId::parse(text(object, "edge"));
  if (!device_id || !session || !edge) return std::nullopt;
  return SessionRecord{.user = user,
                       .device = *device_id,
                       .session = *session,
                       .edge = *edge,
                       .address = text(object, "address"),
                       .since_ms = number(object, "since_ms")};
}

}  // namespace martlet::registry
