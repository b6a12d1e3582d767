#include "tools/cluster_status.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tools/api.h"

namespace martlet::tools {
namespace {

using nlohmann::json;

// A thousand services, or services of a thousand shards, are a long page.
constexpr std::size_t kMaxStatusPageBytes = 64U << 20;
// Of the numbers that a page may tell.
constexpr std::uint64_t kMaxShards = 1'024;

const json* find(const json& object, const char* field) {
  const auto found = object.find(field);
  return found == object.end() ? nullptr : &*found;
}

Numbers numbers(const json& object) {
  Numbers all;
  const json* values = find(object, "values");
  if (values == nullptr || !values->is_object()) return all;
  for (const auto& [name, value] : values->items()) {
    if (value.is_number()) all[name] = value.get<double>();
  }
  return all;
}

double value_of(const Numbers& numbers, std::string_view metric) {
  const auto found = numbers.find(metric);
  return found == numbers.end() ? 0 : found->second;
}

std::uint64_t whole(const Numbers& numbers, std::string_view metric) {
  return static_cast<std::uint64_t>(std::clamp(value_of(numbers, metric), 0.0, 9e15));
}

ServiceView parse_service(const json& object) {
  ServiceView service;
  service.kind = text_of(object, "kind");
  service.name = text_of(object, "name");
  service.instance = text_of(object, "instance");
  service.version = text_of(object, "version");
  service.protocol = number_of(object, "protocol");
  service.shards_configured = std::min(number_of(object, "shards_configured"), kMaxShards);
  service.started_ms = number_of(object, "started_ms");
  service.now_ms = number_of(object, "now_ms");
  service.heard_ms = number_of(object, "heard_ms");
  service.silence_ms = number_of(object, "silence_ms");
  service.gone = is_true(object, "gone");
  service.ready = is_true(object, "ready");
  service.why = text_of(object, "why");
  service.values = numbers(object);
  const json* shards = find(object, "shards");
  if (shards == nullptr || !shards->is_array()) return service;
  for (const json& shard : *shards) {
    if (shard.is_object()) service.shards[number_of(shard, "shard")] = numbers(shard);
  }
  return service;
}

// Of two that say they have it the later owner counts.
void add_owner(ShardView& shard, const ServiceView& service, const Numbers& told) {
  const std::uint64_t epoch = whole(told, "martlet_dispatcher_shard_epoch");
  if (epoch == 0 || epoch < shard.epoch) return;
  shard.owner = &service;
  shard.epoch = epoch;
  shard.is_served = value_of(told, "martlet_dispatcher_shard_serving") > 0;
  shard.end = whole(told, "martlet_dispatcher_shard_log_end");
  shard.log_bytes = whole(told, "martlet_dispatcher_shard_log_bytes");
  shard.unstored_s = value_of(told, "martlet_dispatcher_shard_unstored_seconds");
}

void add_storer(ShardView& shard, const ServiceView& service, const Numbers& told) {
  const auto watermark = told.find("martlet_persist_shard_watermark");
  if (watermark == told.end()) return;
  shard.storer = &service;
  shard.watermark = std::max(shard.watermark, whole(told, "martlet_persist_shard_watermark"));
}

}  // namespace

double ServiceView::value(std::string_view metric) const {
  return value_of(values, metric);
}

Result<ClusterStatus> parse_status(const json& page) {
  const json* services = page.is_object() ? find(page, "services") : nullptr;
  if (services == nullptr || !services->is_array()) {
    return fail(ErrorCode::kUnavailable, "that is no api of ours, or one that is older");
  }
  ClusterStatus status;
  status.now_ms = number_of(page, "now_ms");
  status.trouble = text_of(page, "trouble");
  for (const json& service : *services) {
    if (service.is_object()) status.services.push_back(parse_service(service));
  }
  return status;
}

Result<json> ask_status_page(const ToolOptions& options) {
  net::HttpQuestion question;
  question.path = "/v1/status";
  question.max_answer_bytes = kMaxStatusPageBytes;
  return ask_api(options, std::move(question));
}

Result<ClusterStatus> ask_status(const ToolOptions& options) {
  const auto page = ask_status_page(options);
  if (!page) return tl::unexpected(page.error());
  return parse_status(*page);
}

std::map<std::uint64_t, ShardView> shards_of(const ClusterStatus& status) {
  std::map<std::uint64_t, ShardView> shards;
  std::uint64_t count = 0;
  for (const ServiceView& service : status.services) {
    if (service.gone || service.kind == "api") continue;  // an api needs no number of shards
    count = std::max(count, service.shards_configured);
  }
  for (std::uint64_t shard = 0; shard < count; ++shard) shards[shard];
  for (const ServiceView& service : status.services) {
    for (const auto& [shard, told] : service.shards) {
      const auto found = shards.find(shard);
      if (found == shards.end() || service.gone) continue;
      if (service.kind == "dispatcher") add_owner(found->second, service, told);
      if (service.kind == "persist") add_storer(found->second, service, told);
    }
  }
  return shards;
}

}  // namespace martlet::tools
