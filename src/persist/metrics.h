#pragma once

#include "base/error.h"
#include "metrics/registry.h"
#include "metrics/shard_labels.h"
#include "model/ids.h"
#include "persist/applier_core.h"
#include "wire/admin.h"
#include "wire/commands.h"

namespace martlet::persist {

// What became of a password that was to be hashed.
enum class HashEnd : std::uint8_t {
  kDone,     // hashed while somebody waited for it
  kUseless,  // hashed, but nobody waited any more
  kDropped,  // not hashed: its turn did not come in time
  kRefused   // not hashed: too many waited
};

// What the persist counts. Loop thread.
class PersistMetrics {
 public:
  // Shards of the cluster: each is a value of a label.
  explicit PersistMetrics(metrics::Registry& registry, std::uint16_t shards = 16);

  void batches_applied(std::size_t batches, std::size_t messages);
  void apply_took(Duration duration) { apply_seconds_.observe(duration); }
  void repeats_put_aside(std::size_t repeats) { repeats_.add(repeats); }
  void apply_failed(store::ApplyOutcome outcome) { apply_failures_.at(outcome).add(); }
  void alarmed(Alarm alarm) { alarms_.at(alarm).add(); }
  void base_raised() { bases_raised_.add(); }
  void purged() { purges_.add(); }

  void requested(wire::Command command) { requests_.at(command).add(); }
  void refused(wire::Command command, ErrorCode code) {
    refusals_.at(code).add(), failed_.at(command).add();
  }
  void answer_took(wire::Command command, Duration duration) {
    answer_seconds_.at(command).observe(duration);
  }
  void barrier_took(Duration duration, bool behind);
  void cold_query(std::size_t questions, std::size_t items);
  void cold_took(Duration duration) { cold_seconds_.observe(duration); }
  void cold_refused() { cold_refusals_.add(); }
  void traced() { traces_.add(); }
  void groups_asked() { groups_questions_.add(); }
  void groups_took(Duration duration) { groups_seconds_.observe(duration); }
  void groups_refused() { groups_refusals_.add(); }
  void hash_ended(HashEnd end) { hashes_.at(end).add(); }
  void hashes_waiting(std::size_t hashes) {
    hashes_waiting_.set(static_cast<std::int64_t>(hashes));
  }
  void refresh_repeated() { refreshes_repeated_.add(); }
  void device_revoked() { revocations_.add(); }
  void devices_signed_out(std::size_t devices) { sign_outs_.add(devices); }
  void devices_crowded_out(std::size_t devices) { crowded_out_.add(devices); }
  void tokens_forgotten(std::size_t tokens) { tokens_forgotten_.add(tokens); }
  void administered(wire::AdminAct act, bool done) { (done ? acts_ : acts_failed_).at(act).add(); }
  void malformed() { malformed_.add(); }

  void lease(metrics::LeaseChange change) { leases_.at(change).add(); }
  void shards_followed(std::size_t shards) { followed_.set(static_cast<std::int64_t>(shards)); }
  void shards_stuck(std::size_t shards) { stuck_.set(static_cast<std::int64_t>(shards)); }
  void lag(std::uint64_t batches) { lag_.set(static_cast<std::int64_t>(batches)); }
  void shard_lag(ShardId shard, std::uint64_t batches) {
    shard_lags_.at(shard.value()).set(static_cast<std::int64_t>(batches));
  }
  // Zero: somebody else follows it.
  void shard_watermark(ShardId shard, LogPosition watermark) {
    shard_watermarks_.at(shard.value()).set(static_cast<std::int64_t>(watermark.value()));
  }
  void waiting(std::size_t requests) { waiting_.set(static_cast<std::int64_t>(requests)); }
  void open_requests(std::size_t requests) { open_.set(static_cast<std::int64_t>(requests)); }
  void cold_waiting(std::size_t questions) {
    cold_waiting_.set(static_cast<std::int64_t>(questions));
  }
  void database_waiting(std::size_t jobs) {
    database_waiting_.set(static_cast<std::int64_t>(jobs));
  }

 private:
  metrics::Counter& batches_;
  metrics::Counter& messages_;
  metrics::Histogram& batch_messages_;
  metrics::Histogram& apply_seconds_;
  metrics::Counter& repeats_;
  metrics::Family<metrics::Counter, store::ApplyOutcome> apply_failures_;
  metrics::Family<metrics::Counter, Alarm> alarms_;
  metrics::Counter& bases_raised_;
  metrics::Counter& purges_;
  metrics::Family<metrics::Counter, wire::Command> requests_;
  metrics::Family<metrics::Counter, ErrorCode> refusals_;
  metrics::Family<metrics::Counter, wire::Command> failed_;
  metrics::Family<metrics::Histogram, wire::Command> answer_seconds_;
  metrics::Histogram& barrier_seconds_;
  metrics::Counter& behind_;
  metrics::Counter& cold_queries_;
  metrics::Counter& cold_questions_;
  metrics::Counter& cold_items_;
  metrics::Histogram& cold_seconds_;
  metrics::Counter& cold_refusals_;
  metrics::Counter& traces_;
  metrics::Counter& groups_questions_;
  metrics::Histogram& groups_seconds_;
  metrics::Counter& groups_refusals_;
  metrics::Family<metrics::Counter, HashEnd> hashes_;
  metrics::Gauge& hashes_waiting_;
  metrics::Counter& refreshes_repeated_;
  metrics::Counter& revocations_;
  metrics::Counter& sign_outs_;
  metrics::Counter& crowded_out_;
  metrics::Counter& tokens_forgotten_;
  metrics::Family<metrics::Counter, wire::AdminAct> acts_;
  metrics::Family<metrics::Counter, wire::AdminAct> acts_failed_;
  metrics::Counter& malformed_;
  metrics::Family<metrics::Counter, metrics::LeaseChange> leases_;
  metrics::Gauge& followed_;
  metrics::Gauge& stuck_;
  metrics::Gauge& lag_;
  metrics::Family<metrics::Gauge, std::uint16_t> shard_lags_;
  metrics::Family<metrics::Gauge, std::uint16_t> shard_watermarks_;
  metrics::Gauge& waiting_;
  metrics::Gauge& open_;
  metrics::Gauge& cold_waiting_;
  metrics::Gauge& database_waiting_;
};

}  // namespace martlet::persist
