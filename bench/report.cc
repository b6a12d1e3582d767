#include "bench/report.h"

namespace martlet::bench {
namespace {

nlohmann::ordered_json percentile(const Latencies& latencies, double share) {
  const auto ms = latencies.percentile_ms(share);
  return ms ? nlohmann::ordered_json(*ms) : nlohmann::ordered_json(nullptr);
}

}  // namespace

nlohmann::ordered_json report(const Account& account, double seconds) {
  const Totals totals = account.totals();
  return {
      {"seconds", seconds},
      {"acked_in_window", totals.confirmed_in_window},
      {"acked_per_s", static_cast<double>(totals.confirmed_in_window) / seconds},
      {"delivered_per_s", static_cast<double>(totals.delivered_in_window) / seconds},
      {"p50_ms", percentile(account.confirm_latencies(), 0.5)},
      {"p99_ms", percentile(account.confirm_latencies(), 0.99)},
      {"receive_p50_ms", percentile(account.receive_latencies(), 0.5)},
      {"receive_p99_ms", percentile(account.receive_latencies(), 0.99)},
      {"sent", totals.sent},
      {"acked", totals.confirmed},
      {"delivered", totals.delivered},
      {"refused", totals.refused},
      {"unanswered", totals.unanswered},
      {"lost", totals.lost},
      {"doubled", totals.doubled},
      {"unordered", totals.unordered},
  };
}

}  // namespace martlet::bench
