#include "tools/top_table.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <optional>

#include "tools/api.h"

namespace martlet::tools {
namespace {

using Row = std::vector<std::string>;

// Columns as wide as their widest cell; the first ones (texts) to the left, numbers to the right.
std::string aligned(const std::vector<Row>& rows, std::size_t texts) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += "  ";
      line += i < texts ? fmt::format("{:<{}}", row[i], widths[i])
                        : fmt::format("{:>{}}", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string bytes(double value) {
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.0f} {}", value, kUnits[unit]);
}

std::string duration(WallMs ms) {
  const WallMs s = ms / 1000;
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 86'400) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d{:02}h", s / 86'400, s / 3600 % 24);
}

const ServiceView* same_in(const ClusterStatus* status, const ServiceView& service) {
  if (status == nullptr) return nullptr;
  for (const ServiceView& other : status->services) {
    if (other.instance == service.instance) return &other;
  }
  return nullptr;
}

// Of a counter in a second, between two messages of the same process, by its own clock.
std::optional<double> rate(const ServiceView& now, const ServiceView* before,
                           std::string_view metric) {
  if (before == nullptr || now.gone || now.now_ms <= before->now_ms) return std::nullopt;
  const double seconds = static_cast<double>(now.now_ms - before->now_ms) / 1000;
  return std::max(now.value(metric) - before->value(metric), 0.0) / seconds;
}

std::string shown(const std::optional<double>& value) {
  return value ? fmt::format("{:.0f}", *value) : "-";
}

// What comes in and goes out of each kind: an edge's frames and events, a dispatcher's frames and
// entries, a persist's requests and stored messages.
struct InOut {
  std::string_view kind;
  std::string_view in;
  std::string_view out;
};
constexpr InOut kInOuts[] = {
    {"edge", "martlet_edge_frames_total", "martlet_edge_events_total"},
    {"dispatcher", "martlet_dispatcher_frames_total", "martlet_dispatcher_entries_total"},
    {"persist", "martlet_persist_requests_total", "martlet_persist_applied_messages_total"},
    {"api", "martlet_api_requests_total", ""},
};

const InOut& in_out(std::string_view kind) {
  const auto* const found = std::find_if(std::begin(kInOuts), std::end(kInOuts),
                                         [&](const InOut& one) { return one.kind == kind; });
  return found == std::end(kInOuts) ? kInOuts[3] : *found;
}

std::string state_of(const ServiceView& service) {
  if (service.gone) return "gone " + duration(service.silence_ms);
  return service.ready ? "ready" : "not ready: " + service.why;
}

Row service_row(const ClusterStatus& now, const ServiceView& service, const ServiceView* before) {
  const auto cpu = rate(service, before, "process_cpu_seconds_total");
  const InOut& flow = in_out(service.kind);
  const bool is_edge = service.kind == "edge";
  return {service.kind,
          service.name,
          service.version,
          state_of(service),
          duration(now.now_ms > service.started_ms ? now.now_ms - service.started_ms : 0),
          cpu ? fmt::format("{:.0f}", *cpu * 100) : "-",
          bytes(service.value("process_resident_memory_bytes")),
          fmt::format("{:.0f}", service.value("process_open_fds")),
          fmt::format("{:.1f}", service.value("martlet_loop_worst_lag_seconds") * 1000),
          is_edge ? fmt::format("{:.0f}", service.value("martlet_edge_connections")) : "",
          shown(rate(service, before, flow.in)),
          flow.out.empty() ? "" : shown(rate(service, before, flow.out))};
}

std::string services_table(const ClusterStatus& now, const ClusterStatus* before) {
  std::vector<Row> rows = {{"KIND", "NAME", "VERSION", "STATE", "UP", "CPU%", "MEMORY", "FILES",
                            "LAG ms", "CONNS", "IN/s", "OUT/s"}};
  for (const ServiceView& service : now.services) {
    rows.push_back(service_row(now, service, same_in(before, service)));
  }
  return aligned(rows, 4);
}

std::string shards_table(const ClusterStatus& now) {
  std::vector<Row> rows = {
      {"SHARD", "OWNER", "STORED BY", "EPOCH", "LOG END", "WATERMARK", "LAG", "OLDEST s", "LOG"}};
  for (const auto& [number, shard] : shards_of(now)) {
    std::string owner = shard.owner == nullptr ? "nobody" : shard.owner->name;
    if (shard.owner != nullptr && !shard.is_served) owner += " (taking over)";
    rows.push_back(
        {std::to_string(number), owner, shard.storer == nullptr ? "nobody" : shard.storer->name,
         std::to_string(shard.epoch), std::to_string(shard.end), std::to_string(shard.watermark),
         // Half of it is not known: no number would be right.
         shard.owner == nullptr || shard.storer == nullptr ? "?" : std::to_string(shard.lag()),
         fmt::format("{:.0f}", shard.unstored_s), bytes(static_cast<double>(shard.log_bytes))});
  }
  return aligned(rows, 3);
}

// The sum over all processes; none: nobody told two numbers.
std::optional<double> total_rate(const ClusterStatus& now, const ClusterStatus* before,
                                 std::string_view metric) {
  std::optional<double> sum;
  for (const ServiceView& service : now.services) {
    if (service.values.find(metric) == service.values.end()) continue;
    const auto one = rate(service, same_in(before, service), metric);
    if (one) sum = sum.value_or(0) + *one;
  }
  return sum;
}

double total(const ClusterStatus& now, std::string_view metric) {
  double sum = 0;
  for (const ServiceView& service : now.services) sum += service.gone ? 0 : service.value(metric);
  return sum;
}

std::string totals(const ClusterStatus& now, const ClusterStatus* before) {
  std::uint64_t lag = 0;
  for (const auto& [number, shard] : shards_of(now)) {
    if (shard.storer != nullptr) lag += shard.lag();
  }
  return fmt::format(
      "total: connections={:.0f} sessions={:.0f} frames/s={} appended/s={} stored/s={} events/s={} "
      "lag={} slow_consumers={:.0f} dropped={:.0f}\n",
      total(now, "martlet_edge_connections"), total(now, "martlet_edge_sessions"),
      shown(total_rate(now, before, "martlet_edge_frames_total")),
      shown(total_rate(now, before, "martlet_dispatcher_entries_total")),
      shown(total_rate(now, before, "martlet_persist_applied_messages_total")),
      shown(total_rate(now, before, "martlet_edge_events_total")), lag,
      total(now, "martlet_edge_slow_consumers_total"),
      total(now, "martlet_bus_publish_dropped_total") +
          total(now, "martlet_bus_receive_dropped_total"));
}

}  // namespace

std::string top_table(const ClusterStatus& now, const ClusterStatus* before) {
  std::string out = utc(now.now_ms);
  if (!now.trouble.empty()) out += "  THE API IS NOT READY: " + now.trouble;
  return out + "\n\n" + services_table(now, before) + "\n" + shards_table(now) + "\n" +
         totals(now, before);
}

}  // namespace martlet::tools
