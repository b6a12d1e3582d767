#include "bus/cluster_check.h"

#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/assert.h"
#include "base/log.h"

namespace martlet::bus {
namespace {

constexpr std::string_view kKey = "cluster";
constexpr int kTries = 3;
constexpr Duration kRetry = std::chrono::milliseconds(500);

struct Wanted {
  std::uint16_t shards;
  ClusterKey key;
};

void write(Kv& kv, Wanted wanted, int tries, Kv::Done callback);

Result<void> nobody_was_here() {
  return fail(ErrorCode::kUnavailable, "no dispatcher or persist has started in this cluster yet");
}

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

void read(Kv& kv, Wanted wanted, int tries, Kv::Done callback) {
  kv.get(kKey,
         [&kv, wanted, tries, callback = std::move(callback)](Result<std::optional<KvEntry>> got) {
           if (!got) return callback(tl::unexpected(got.error()));
           if (*got) return callback(compare(**got, wanted.shards));
           if (wanted.key == ClusterKey::kOnlyRead) return callback(nobody_was_here());
           write(kv, wanted, tries - 1, callback);
         });
}

void write(Kv& kv, Wanted wanted, int tries, Kv::Done callback) {
  const std::string value = nlohmann::json{{"shards", wanted.shards}}.dump();
  kv.update(kKey, value, 0,
            [&kv, wanted, tries, callback = std::move(callback)](Result<std::uint64_t> done) {
              if (done) return callback({});
              // Somebody else was first.
              if (done.error().code == ErrorCode::kConflict && tries > 0) {
                return read(kv, wanted, tries, callback);
              }
              callback(tl::unexpected(done.error()));
            });
}

}  // namespace

void check_cluster(Kv& kv, std::uint16_t shards, ClusterKey key, Kv::Done callback) {
  // A bucket that is being made can be written to, and not be read.
  const auto begin = key == ClusterKey::kWrite ? write : read;
  begin(kv, {shards, key}, kTries, std::move(callback));
}

ClusterCheck::ClusterCheck(event::Loop& loop, Kv& kv, Options options)
    : loop_(loop), kv_(kv), options_(options), again_(loop, [this] { ask(); }) {}

ClusterCheck::~ClusterCheck() {
  *self_ = nullptr;
}

void ClusterCheck::start(Kv::Done callback) {
  MARTLET_ASSERT(!callback_);
  callback_ = std::move(callback);
  give_up_at_ = loop_.now() + options_.wait;
  ask();
}

void ClusterCheck::ask() {
  const auto on_done = [self = self_](const Result<void>& done) {
    if (*self != nullptr) (*self)->on_done(done);
  };
  kv_.ensure(options_.replicas, [self = self_, on_done](const Result<bool>& is_used) {
    if (!is_used) return on_done(tl::unexpected(is_used.error()));
    if (*self == nullptr) return;
    const Options& options = (*self)->options_;
    if (!*is_used && options.key == ClusterKey::kOnlyRead) return on_done(nobody_was_here());
    check_cluster((*self)->kv_, options.shards, options.key, on_done);
  });
}

void ClusterCheck::on_done(const Result<void>& done) {
  const bool is_final = done || done.error().code == ErrorCode::kConflict;
  if (is_final || loop_.now() >= give_up_at_) return callback_(done);
  if (reason_ != done.error().detail) {
    reason_ = done.error().detail;
    MARTLET_LOG(warn, "cluster_not_ready reason=\"{}\"", reason_);
  }
  again_.start_once(kRetry);
}

}  // namespace martlet::bus
