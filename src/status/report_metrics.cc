#include "status/report_metrics.h"

#include <charconv>
#include <string_view>

namespace martlet::status {
namespace {

// Those that a kind of service does not have are passed over.
constexpr std::string_view kOfProcess[] = {
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_open_fds",
    "process_max_fds",
    "martlet_loop_worst_lag_seconds",
    "martlet_bus_connected",
    "martlet_bus_reconnects_total",
    "martlet_bus_publish_dropped_total",
    "martlet_bus_receive_dropped_total",
    "martlet_edge_connections",
    "martlet_edge_connection_limit",
    "martlet_edge_sessions",
    "martlet_edge_frames_total",
    "martlet_edge_errors_total",
    "martlet_edge_events_total",
    "martlet_edge_dropped_total",
    "martlet_edge_slow_consumers_total",
    "martlet_edge_received_bytes_total",
    "martlet_edge_sent_bytes_total",
    "martlet_edge_unanswered",
    "martlet_edge_throttled",
    "martlet_edge_tls_certificate_expires_timestamp_seconds",
    "martlet_dispatcher_frames_total",
    "martlet_dispatcher_entries_total",
    "martlet_dispatcher_refused_total",
    "martlet_dispatcher_duplicates_total",
    "martlet_dispatcher_append_failures_total",
    "martlet_dispatcher_shards_owned",
    "martlet_dispatcher_shards_serving",
    "martlet_dispatcher_queue",
    "martlet_dispatcher_parking",
    "martlet_dispatcher_log_limit_bytes",
    "martlet_persist_applied_messages_total",
    "martlet_persist_applied_batches_total",
    "martlet_persist_apply_failures_total",
    "martlet_persist_alarms_total",
    "martlet_persist_requests_total",
    "martlet_persist_shards_followed",
    "martlet_persist_shards_stuck",
    "martlet_persist_open_requests",
    "martlet_persist_database_waiting",
    "martlet_api_requests_total",
    "martlet_api_edges_live",
};

constexpr std::string_view kOfShards[] = {
    "martlet_dispatcher_shard_serving",          "martlet_dispatcher_shard_epoch",
    "martlet_dispatcher_shard_log_end",          "martlet_dispatcher_shard_log_bytes",
    "martlet_dispatcher_shard_unstored_seconds", "martlet_persist_shard_watermark",
    "martlet_persist_shard_lag_batches",
};

}  // namespace

std::vector<wire::StatusValue> read_metrics(const metrics::Registry& registry) {
  std::vector<wire::StatusValue> values;
  for (const std::string_view name : kOfProcess) {
    bool exists = false;
    double sum = 0;
    registry.read(name, [&](std::string_view, double value) {
      exists = true;
      sum += value;
    });
    if (exists) values.push_back({std::string(name), std::nullopt, sum});
  }
  for (const std::string_view name : kOfShards) {
    registry.read(name, [&](std::string_view label, double value) {
      std::uint16_t shard = 0;
      const auto parsed = std::from_chars(label.data(), label.data() + label.size(), shard);
      const bool is_number = parsed.ec == std::errc() && parsed.ptr == label.data() + label.size();
      if (is_number && value != 0) values.push_back({std::string(name), shard, value});
    });
  }
  return values;
}

}  // namespace martlet::status
