#include "bus/cluster_check.h"

#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace martlet::bus {
namespace {

constexpr std::string_view kKey = "cluster";
constexpr int kTries = 3;

void read(Kv& kv, std::uint16_t shards, int tries, Kv::Done callback);

Result<void> compare(const KvEntry& entry, std::uint16_t shards) {
  const auto json = nlohmann::json::parse(entry.value, nullptr, false);
  const bool good =
      json.is_object() && json.contains("shards") && json["shards"].is_number_unsigned();
  if (!good) return fail(ErrorCode::kConflict, "the cluster's key in NATS is not readable");
  const auto theirs = json["shards"].get<std::uint64_t>();
  if (theirs == shards) return {};
  return fail(
      ErrorCode::kConflict,
      fmt::format("the cluster has {} shards, this service is configured for {}: the number "
                  "can't be changed",
                  theirs, shards));
}

void write(Kv& kv, std::uint16_t shards, int tries, Kv::Done callback) {
  const std::string value = nlohmann::json{{"shards", shards}}.dump();
  kv.update(kKey, value, 0,
            [&kv, shards, tries, callback = std::move(callback)](Result<std::uint64_t> done) {
              if (done) return callback({});
              // Somebody else was first.
              if (done.error().code == ErrorCode::kConflict && tries > 1) {
                return read(kv, shards, tries - 1, callback);
              }
              callback(tl::unexpected(done.error()));
            });
}

void read(Kv& kv, std::uint16_t shards, int tries, Kv::Done callback) {
  kv.get(kKey,
         [&kv, shards, tries, callback = std::move(callback)](Result<std::optional<KvEntry>> got) {
           if (!got) return callback(tl::unexpected(got.error()));
           if (*got) return callback(compare(**got, shards));
           write(kv, shards, tries, callback);
         });
}

}  // namespace

void check_cluster(Kv& kv, std::uint16_t shards, Kv::Done callback) {
  read(kv, shards, kTries, std::move(callback));
}

}  // namespace martlet::bus
