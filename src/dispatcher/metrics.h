#pragma once

#include "base/error.h"
#include "bus/log.h"
#include "metrics/registry.h"

namespace martlet::dispatcher {

// Why a frame was neither answered nor accepted; its edge repeats it.
enum class Silence {
  kOldLease,    // an answer without an append needs a young renewal
  kMalformed,   // not written by one of our edges
  kMisrouted,   // of another shard
  kNotServing,  // during take-over, when the buffer is full, or while letting go
  kRepeat,      // the same request waits already
};

// What the dispatcher counts. Loop thread.
class DispatcherMetrics {
 public:
  explicit DispatcherMetrics(metrics::Registry& registry);

  void frame_received() { frames_.add(); }
  void silent(Silence why) { silences_.at(why).add(); }
  void refused(ErrorCode code) { refusals_.at(code).add(); }
  void duplicate() { duplicates_.add(); }

  void batch_appended(std::size_t entries, std::size_t bytes);
  void append_took(Duration duration) { append_seconds_.observe(duration); }
  void append_failed(bus::AppendFailure why) { append_failures_.at(why).add(); }

  void parked() { parked_.add(); }
  void cold_asked(std::size_t items);
  void cold_failed() { cold_failures_.add(); }
  void clock_skewed() { clock_skews_.add(); }
  void typing_dropped() { typing_dropped_.add(); }
  void stored_wait_dropped() { stored_waits_dropped_.add(); }

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

 private:
  metrics::Counter& frames_;
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
  metrics::Counter& cold_failures_;
  metrics::Counter& clock_skews_;
  metrics::Counter& typing_dropped_;
  metrics::Counter& stored_waits_dropped_;
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
};

}  // namespace martlet::dispatcher
