#include "sim/coverage.h"

#include <charconv>
#include <string_view>
#include <unordered_map>

namespace martlet::sim {
namespace {

// Counters of the services, by the path that they count.
const std::unordered_map<std::string_view, std::string>& counters() {
  static const std::unordered_map<std::string_view, std::string> all = {
      {"martlet_dispatcher_take_overs_total", "path: take-over"},
      {"martlet_dispatcher_doubts_total", "path: doubt"},
      {"martlet_dispatcher_duplicates_total", "path: duplicate known"},
      {"martlet_dispatcher_republished_total", "path: published again"},
      {"martlet_dispatcher_parked_total", "path: parked for the database"},
      {"martlet_persist_barrier_seconds_count", "path: barrier"},
      {"martlet_edge_repeats_total", "path: frame published again by its edge"},
      {"martlet_edge_resyncs_total", "path: resync hinted"},
      {"martlet_edge_live_missed_total", "path: an edge told what live missed"},
  };
  return all;
}

}  // namespace

void Coverage::add(const metrics::Registry& registry) {
  const std::string text = registry.render();
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.starts_with('#')) continue;
    const std::size_t space = line.rfind(' ');
    const auto found = counters().find(line.substr(0, space));
    if (found == counters().end()) continue;
    std::uint64_t value = 0;
    std::from_chars(line.data() + space + 1, line.data() + line.size(), value);
    add(found->second, value);
  }
}

void Coverage::add(const Coverage& other) {
  for (const auto& [name, count] : other.counts_) add(name, count);
}

std::vector<std::string> Coverage::paths() {
  std::vector<std::string> all = {
      "path: gap found",
      "path: gap fetched",
      "path: tail check found something",
      "path: event dropped as known",
      "path: event waited for a sync",
      "path: send repeated",
      "path: sign-in again",
      "path: slow consumer",
      "path: reconnected to the broker",
      "path: append refused, another one wrote",
      "path: purge",
      "path: lease lost to another one",
      "path: commit fenced",
      "path: duplicate found by look-up",
      "path: looked up, not there",
  };
  for (const auto& [counter, path] : counters()) all.push_back(path);
  return all;
}

std::uint64_t Coverage::of(const std::string& name) const {
  const auto found = counts_.find(name);
  return found == counts_.end() ? 0 : found->second;
}

}  // namespace martlet::sim
