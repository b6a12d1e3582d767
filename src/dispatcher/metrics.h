#pragma once

#include "base/error.h"
#include "bus/log.h"
#include "metrics/registry.h"
#include "metrics/shard_labels.h"
#include "model/ids.h"
#include "wire/commands.h"

namespace martlet::dispatcher {

// Why a frame was neither answered nor accepted; its edge repeats it.
enum class Silence {
  kOldLease,    // an answer without an append needs a young renewal
  kMalformed,   // not written by one of our edges
  kMisrouted,   // of another shard
  kNotServing,  // during take-over, when the buffer is full, or while letting go
  kRepeat,      // the same request waits already
};

// What is told of one shard.
struct ShardGauges {
  bool is_serving = false;
  std::uint64_t log_bytes = 0;
  Epoch epoch{};
  LogPosition end{};
  Duration unstored{};
};

// What the dispatcher counts. Loop thread.
class DispatcherMetrics {
 public:
  // Shards of the cluster: each is a value of a label.
  explicit DispatcherMetrics(metrics::Registry& registry, std::uint16_t shards = 16);

  void frame_received(wire::Command command) { frames_.at(command).add(); }
  void failed(wire::Command command) { failed_.at(command).add(); }
  void answered(wire::Command command, Duration took) { answer_time_.at(command).observe(took); }
  void silent(Silence why) { silences_.at(why).add(); }
  void refused(ErrorCode code) { refusals_.at(code).add(); }
  void duplicate() { duplicates_.add(); }

  void batch_appended(ShardId shard, std::size_t entries, std::size_t bytes);
  void append_took(Duration duration) { append_seconds_.observe(duration); }
  void append_failed(bus::AppendFailure why) { append_failures_.at(why).add(); }

  void parked() { parked_.add(); }
  void cold_asked(std::size_t items);
  void cold_took(Duration duration) { cold_seconds_.observe(duration); }
  void cold_failed() { cold_failures_.add(); }
  void clock_skewed() { clock_skews_.add(); }
  void typing_dropped() { typing_dropped_.add(); }
  void stored_wait_dropped() { stored_waits_dropped_.add(); }

  void stored_after(Duration duration) { stored_seconds_.observe(duration); }

  void lease(metrics::LeaseChange change) { leases_.at(change).add(); }
  void doubted() { doubts_.add(); }
  void take_over_started() { take_overs_.add(); }
  void take_over_took(Duration duration) { take_over_seconds_.observe(duration); }
  void republished(std::size_t entries) { republished_.add(entries); }
  void log_inconsistent() { log_inconsistencies_.add(); }
  void publish_dropped() { publishes_dropped_.add(); }

  void shards_owned(std::size_t shards) { owned_.set(static_cast<std::int64_t>(shards)); }
  void shards_serving(std::size_t shards) { serving_.set(static_cast<std::int64_t>(shards)); }
  void heads_kept(std::size_t heads) { heads_.set(static_cast<std::int64_t>(heads)); }
  void window_kept(std::size_t messages) { window_.set(static_cast<std::int64_t>(messages)); }
  void frames_parked(std::size_t frames) { parking_.set(static_cast<std::int64_t>(frames)); }
  void entries_queued(std::size_t entries) { queue_.set(static_cast<std::int64_t>(entries)); }
  void stored_waits(std::size_t waits) { stored_waits_.set(static_cast<std::int64_t>(waits)); }
  void frames_buffered(std::size_t frames) { buffered_.set(static_cast<std::int64_t>(frames)); }
  void shard(ShardId shard, const ShardGauges& gauges);
  void log_limit(std::uint64_t bytes) { log_limit_.set(static_cast<std::int64_t>(bytes)); }

 private:
  metrics::Family<metrics::Counter, wire::Command> frames_;
  metrics::Family<metrics::Counter, wire::Command> failed_;
  metrics::Family<metrics::Histogram, wire::Command> answer_time_;
  metrics::Family<metrics::Counter, Silence> silences_;
  metrics::Family<metrics::Counter, ErrorCode> refusals_;
  metrics::Counter& duplicates_;
  metrics::Counter& entries_;
  metrics::Histogram& batch_entries_;
  metrics::Histogram& batch_bytes_;
  metrics::Histogram& append_seconds_;
  metrics::Family<metrics::Counter, bus::AppendFailure> append_failures_;
  metrics::Counter& parked_;
  metrics::Counter& cold_questions_;
  metrics::Counter& cold_items_;
  metrics::Histogram& cold_seconds_;
  metrics::Counter& cold_failures_;
  metrics::Counter& clock_skews_;
  metrics::Counter& typing_dropped_;
  metrics::Counter& stored_waits_dropped_;
  metrics::Histogram& stored_seconds_;
  metrics::Family<metrics::Counter, metrics::LeaseChange> leases_;
  metrics::Counter& doubts_;
  metrics::Counter& take_overs_;
  metrics::Histogram& take_over_seconds_;
  metrics::Counter& republished_;
  metrics::Counter& log_inconsistencies_;
  metrics::Counter& publishes_dropped_;
  metrics::Gauge& owned_;
  metrics::Gauge& serving_;
  metrics::Gauge& heads_;
  metrics::Gauge& window_;
  metrics::Gauge& parking_;
  metrics::Gauge& queue_;
  metrics::Gauge& stored_waits_;
  metrics::Gauge& buffered_;
  metrics::Family<metrics::Counter, std::uint16_t> shard_entries_;
  metrics::Family<metrics::Gauge, std::uint16_t> shard_serving_;
  metrics::Family<metrics::Gauge, std::uint16_t> shard_log_bytes_;
  metrics::Family<metrics::Gauge, std::uint16_t> shard_epoch_;
  metrics::Family<metrics::Gauge, std::uint16_t> shard_end_;
  metrics::Family<metrics::Gauge, std::uint16_t> shard_unstored_;
  metrics::Gauge& log_limit_;
};

}  // namespace martlet::dispatcher
