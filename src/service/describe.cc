#include "service/describe.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "service/version.h"

namespace martlet::service {
namespace {

using Json = nlohmann::ordered_json;

Json describe_keys(const config::Keys& keys) {
  Json all = Json::array();
  for (const config::Key& key : keys.describe()) {
    all.push_back({{"name", key.name},
                   {"type", key.type},
                   {"unit", key.unit},
                   {"default", key.required ? Json(nullptr) : Json(key.default_text)},
                   {"bounds", key.bounds},
                   {"secret", key.show != config::Show::kPlain},
                   {"text", key.text}});
  }
  return all;
}

Json describe_metrics(const metrics::Registry& registry) {
  Json all = Json::array();
  for (const metrics::Descriptor& metric : registry.describe()) {
    all.push_back({{"name", metric.info.name},
                   {"kind", metrics::kind_name(metric.kind)},
                   {"unit", metric.info.unit},
                   {"label", metric.label},
                   {"values", metric.values},
                   {"text", metric.info.help}});
  }
  return all;
}

Json describe_limits(const std::vector<Limit>& limits) {
  Json all = Json::array();
  for (const Limit& limit : limits) {
    all.push_back(
        {{"name", limit.name}, {"value", limit.value}, {"unit", limit.unit}, {"text", limit.text}});
  }
  return all;
}

Json describe_errors() {
  Json all = Json::array();
  for (const ErrorCode code : all_error_codes()) {
    all.push_back({{"number", static_cast<int>(code)},
                   {"name", error_name(code)},
                   {"retryable", is_retryable(code)},
                   {"text", error_text(code)}});
  }
  return all;
}

}  // namespace

std::string describe(const Definition& definition, const config::Keys& keys,
                     const metrics::Registry& registry) {
  const Json json{{"service", definition.name},
                  {"version", version()},
                  {"keys", describe_keys(keys)},
                  {"metrics", describe_metrics(registry)},
                  {"limits", describe_limits(definition.limits)},
                  {"errors", describe_errors()}};
  return json.dump(2);
}

}  // namespace martlet::service
