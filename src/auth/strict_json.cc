#include "auth/strict_json.h"

#include <set>
#include <vector>

namespace martlet::auth {

nlohmann::json parse_strict_object(std::string_view text, int max_depth) {
  using Json = nlohmann::json;
  using Event = Json::parse_event_t;
  bool is_good = true;
  std::vector<std::set<std::string>> names;  // of the objects that are open
  const auto watch = [&](int depth, Event event, Json& value) {
    const bool opens = event == Event::object_start || event == Event::array_start;
    if (opens && depth >= max_depth) is_good = false;
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end && !names.empty()) names.pop_back();
    if (event == Event::key && !names.empty()) {
      is_good = names.back().insert(value.get<std::string>()).second && is_good;
    }
    return is_good;
  };
  Json json = Json::parse(text, watch, false);
  if (!is_good || !json.is_object()) return Json(Json::value_t::discarded);
  return json;
}

std::string text_of(const nlohmann::json& object, const std::string& name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace martlet::auth
