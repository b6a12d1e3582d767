#include "bus/lease_record.h"

#include <spdlog/fmt/fmt.h>

#include <charconv>
#include <nlohmann/json.hpp>

namespace martlet::bus {
namespace {

using Json = nlohmann::json;

std::uint64_t number(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::optional<std::string_view> after(std::string_view text, const std::string& prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

}  // namespace

std::string beat_key(std::string_view kind, std::string_view member) {
  return fmt::format("{}.beat.{}", kind, member);
}

std::string shard_key(std::string_view kind, ShardId shard) {
  return fmt::format("{}.shard.{}", kind, shard.value());
}

std::optional<std::string> member_of_beat_key(std::string_view kind, std::string_view key) {
  const auto rest = after(key, beat_key(kind, ""));
  if (!rest || rest->empty()) return std::nullopt;
  return std::string(*rest);
}

std::optional<ShardId> shard_of_key(std::string_view kind, std::string_view key) {
  const auto rest = after(key, fmt::format("{}.shard.", kind));
  if (!rest) return std::nullopt;
  std::uint16_t shard = 0;
  const auto [end, error] = std::from_chars(rest->data(), rest->data() + rest->size(), shard);
  if (error != std::errc() || end != rest->data() + rest->size()) return std::nullopt;
  return ShardId(shard);
}

Bytes encode_record(const ShardRecord& record) {
  return Json{{"owner", record.owner},
              {"epoch", record.epoch.value()},
              {"published", record.published.value()},
              {"reached", record.reached.value()}}
      .dump();
}

ShardRecord decode_record(BytesView value, std::uint64_t revision) {
  const Json json = Json::parse(value, nullptr, false);
  if (!json.is_object()) return {{}, Epoch(revision), {}};
  ShardRecord record;
  const auto owner = json.find("owner");
  if (owner != json.end() && owner->is_string()) record.owner = owner->get<std::string>();
  const std::uint64_t epoch = number(json, "epoch");
  record.epoch = Epoch(epoch != 0 ? epoch : revision);
  record.published = LogPosition(number(json, "published"));
  record.reached = LogPosition(number(json, "reached"));
  return record;
}

}  // namespace martlet::bus
