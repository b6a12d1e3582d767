#include "dispatcher/metrics.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include "wire/group_requests.h"

namespace martlet::dispatcher {
namespace {

using metrics::Buckets;

metrics::Info info(const char* name, const char* unit, const char* help) {
  return {std::string("martlet_dispatcher_") + name, unit, help};
}

metrics::Label<Silence> silence_label() {
  return {"reason",
          {{Silence::kOldLease, "old_lease"},
           {Silence::kMalformed, "malformed"},
           {Silence::kMisrouted, "misrouted"},
           {Silence::kNotServing, "not_serving"},
           {Silence::kRepeat, "repeat"}}};
}

metrics::Label<bus::AppendFailure> append_failure_label() {
  return {"failure",
          {{bus::AppendFailure::kWrongSequence, "wrong_sequence"},
           {bus::AppendFailure::kRefused, "refused"},
           {bus::AppendFailure::kUnknown, "unknown"}}};
}

metrics::Label<ErrorCode> code_label() {
  metrics::Label<ErrorCode> label{"code", {}};
  for (const ErrorCode code : all_error_codes()) {
    label.values.emplace_back(code, std::string(error_name(code)));
  }
  return label;
}

// Those that change something; the others go nowhere near a dispatcher.
metrics::Label<wire::Command> command_label() {
  metrics::Label<wire::Command> label{"command", {}};
  for (const wire::CommandInfo& one : wire::all_commands()) {
    const bool is_ours = one.command == wire::Command::Send || one.command == wire::Command::Read ||
                         one.command == wire::Command::Typing || wire::is_group_change(one.command);
    if (!is_ours) continue;
    std::string name(one.name);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    label.values.emplace_back(one.command, std::move(name));
  }
  return label;
}

}  // namespace

DispatcherMetrics::DispatcherMetrics(metrics::Registry& r, std::uint16_t shards)
    : frames_(r.counters(info("frames_total", "frames", "Frames of clients that arrived."),
                         command_label())),
      failed_(
          r.counters(info("failed_total", "requests", "Frames answered by an error, by command."),
                     command_label())),
      answer_time_(r.histograms(
          info("answer_seconds", "seconds",
               "From a frame's arrival to its answer, when it was appended: waits and append."),
          command_label(), Buckets::seconds())),
      silences_(r.counters(info("unanswered_total", "frames",
                                "Frames left without an answer; their edge repeats them."),
                           silence_label())),
      refusals_(r.counters(info("refused_total", "frames", "Frames refused, by error code."),
                           code_label())),
      duplicates_(r.counter(
          info("duplicates_total", "frames", "Frames of messages that were known already."))),
      entries_(r.counter(info("entries_total", "entries", "Entries appended to logs."))),
      batch_entries_(r.histogram(info("batch_entries", "entries", "Entries of one append."),
                                 Buckets::counts())),
      batch_bytes_(
          r.histogram(info("batch_bytes", "bytes", "Size of one append."), Buckets::bytes())),
      append_seconds_(
          r.histogram(info("append_seconds", "seconds", "From an append to its acknowledgement."),
                      Buckets::seconds())),
      append_failures_(r.counters(
          info("append_failures_total", "appends",
               "Appends that were refused because another one wrote (wrong_sequence) or otherwise, "
               "or are open: no answer in time."),
          append_failure_label())),
      parked_(r.counter(info("parked_total", "frames", "Frames that waited for the database."))),
      cold_questions_(r.counter(info("cold_questions_total", "questions",
                                     "Questions to persist about conversations and duplicates."))),
      cold_items_(r.counter(info("cold_items_total", "items",
                                 "Conversations, messages and users in these questions."))),
      cold_seconds_(r.histogram(
          info("cold_seconds", "seconds", "From such a question to its answer, or to giving up."),
          Buckets::seconds())),
      cold_failures_(r.counter(
          info("cold_failures_total", "questions", "Questions without a usable answer."))),
      clock_skews_(r.counter(
          info("clock_skews_total", "frames", "Frames whose edge has a clock ahead of ours."))),
      typing_dropped_(r.counter(info("typing_dropped_total", "frames",
                                     "TYPING of conversations that are not in memory, or of who is "
                                     "not in the group."))),
      stored_waits_dropped_(r.counter(info("stored_waits_dropped_total", "waits",
                                           "Senders that will not be told STORED unasked."))),
      stored_seconds_(r.histogram(
          info("stored_seconds", "seconds",
               "From an append's acknowledgement to hearing that the database has it; one append "
               "of a shard at a time is watched."),
          Buckets::seconds())),
      leases_(r.counters(info("leases_total", "shards", "Changes of the leases of shards."),
                         metrics::lease_label())),
      doubts_(r.counter(info("doubts_total", "shards", "Times an ownership was doubted."))),
      take_overs_(r.counter(info("take_overs_total", "shards", "Take-overs begun."))),
      take_over_seconds_(r.histogram(
          info("take_over_seconds", "seconds", "From the lease to serving."), Buckets::seconds())),
      republished_(r.counter(
          info("republished_total", "entries", "Entries published live again after a take-over."))),
      log_inconsistencies_(r.counter(info("log_inconsistent_total", "entries",
                                          "Entries of a log that contradict its others."))),
      publishes_dropped_(r.counter(info("publishes_dropped_total", "messages",
                                        "Answers and events that the broker did not take."))),
      owned_(r.gauge(info("shards_owned", "shards", "Shards whose lease is ours."))),
      serving_(r.gauge(info("shards_serving", "shards", "Shards that take messages."))),
      heads_(r.gauge(info("heads", "conversations", "Conversations in memory."))),
      window_(r.gauge(info("window", "messages", "Messages in the duplicate windows."))),
      parking_(r.gauge(info("parking", "frames", "Frames that wait for the database now."))),
      queue_(r.gauge(info("queue", "entries", "Entries that wait for an append now."))),
      stored_waits_(r.gauge(info("stored_waits", "messages",
                                 "Messages whose senders are to be told when they are stored."))),
      buffered_(r.gauge(
          info("buffered", "frames", "Frames that wait for their shard to be taken over now."))),
      shard_entries_(r.counters(info("shard_entries_total", "entries",
                                     "Entries that this process appended to a shard's log."),
                                metrics::shard_label(shards))),
      shard_serving_(r.gauges(
          info("shard_serving", "none", "1 while this process takes messages of the shard."),
          metrics::shard_label(shards))),
      shard_log_bytes_(r.gauges(info("shard_log_bytes", "bytes",
                                     "Size of the log of a shard that this process serves, as it "
                                     "is reckoned for shard.log_bytes; else 0."),
                                metrics::shard_label(shards))),
      shard_epoch_(
          r.gauges(info("shard_epoch", "none", "Epoch of a shard that this process has; else 0."),
                   metrics::shard_label(shards))),
      shard_end_(r.gauges(info("shard_log_end", "none",
                               "Last log position of a shard that this process has; else 0."),
                          metrics::shard_label(shards))),
      shard_unstored_(r.gauges(
          info("shard_unstored_seconds", "seconds",
               "How long the append of the shard whose way into the database is watched is in the "
               "log without being there, in whole seconds."),
          metrics::shard_label(shards))),
      log_limit_(r.gauge(info("log_limit_bytes", "bytes",
                              "The configured shard.log_bytes, at which senders are refused."))) {}

void DispatcherMetrics::shard(ShardId shard, const ShardGauges& gauges) {
  shard_serving_.at(shard.value()).set(gauges.is_serving ? 1 : 0);
  shard_log_bytes_.at(shard.value()).set(static_cast<std::int64_t>(gauges.log_bytes));
  shard_epoch_.at(shard.value()).set(static_cast<std::int64_t>(gauges.epoch.value()));
  shard_end_.at(shard.value()).set(static_cast<std::int64_t>(gauges.end.value()));
  shard_unstored_.at(shard.value())
      .set(std::chrono::duration_cast<std::chrono::seconds>(gauges.unstored).count());
}

void DispatcherMetrics::batch_appended(ShardId shard, std::size_t entries, std::size_t bytes) {
  entries_.add(entries);
  shard_entries_.at(shard.value()).add(entries);
  batch_entries_.observe(static_cast<double>(entries));
  batch_bytes_.observe(static_cast<double>(bytes));
}

void DispatcherMetrics::cold_asked(std::size_t items) {
  cold_questions_.add();
  cold_items_.add(items);
}

}  // namespace martlet::dispatcher
