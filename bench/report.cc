#include "bench/report.h"

#include <utility>

namespace martlet::bench {

void add_percentiles(nlohmann::ordered_json& to, const std::string& prefix,
                     const Latencies& latencies) {
  const std::pair<const char*, double> wanted[] = {
      {"p50_ms", 0.5}, {"p99_ms", 0.99}, {"p999_ms", 0.999}, {"max_ms", 1.0}};
  for (const auto& [name, share] : wanted) {
    const auto ms = latencies.percentile_ms(share);
    to[prefix + name] = ms ? nlohmann::ordered_json(*ms) : nlohmann::ordered_json(nullptr);
  }
}

namespace {

nlohmann::ordered_json rows(const std::vector<SecondOfWindow>& seconds) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (std::size_t at_s = 0; at_s < seconds.size(); ++at_s) {
    const SecondOfWindow& second = seconds[at_s];
    rows.push_back({{"at_s", at_s},
                    {"due", second.due},
                    {"acked", second.confirm_latencies.count()},
                    {"refused", second.refused}});
    add_percentiles(rows.back(), "", second.confirm_latencies);
  }
  return rows;
}

}  // namespace

nlohmann::ordered_json report(const Account& account, double seconds) {
  const Totals totals = account.totals();
  nlohmann::ordered_json line = {
      {"seconds", seconds},
      {"acked_in_window", totals.confirmed_in_window},
      {"acked_per_s", static_cast<double>(totals.confirmed_in_window) / seconds},
      {"delivered_per_s", static_cast<double>(totals.delivered_in_window) / seconds},
      {"sent", totals.sent},
      {"acked", totals.confirmed},
      {"delivered", totals.delivered},
      {"refused", totals.refused},
      {"unanswered", totals.unanswered},
      {"lost", totals.lost},
      {"doubled", totals.doubled},
      {"unordered", totals.unordered},
  };
  add_percentiles(line, "", account.confirm_latencies());
  add_percentiles(line, "receive_", account.receive_latencies());
  add_percentiles(line, "last_", account.last_latencies());
  line["over_time"] = rows(account.seconds());
  return line;
}

}  // namespace martlet::bench
