#include "bus/hops.h"

#include <utility>

#include "bus/subjects.h"
#include "wire/limits.h"

namespace martlet::bus {

HopMetrics::HopMetrics(metrics::Registry& registry)
    : recorded_(registry.counter({"martlet_trace_hops_total", "hops",
                                  "What this process noted of messages that are followed."})),
      dropped_(registry.counter({"martlet_trace_hops_dropped_total", "hops",
                                 "The same that nobody will see: too many at once, or the link to "
                                 "the broker had no room."})) {}

HopRecorder::HopRecorder(event::Loop& loop, Bus& bus, const Clock& clock, HopMetrics& metrics,
                         Process process)
    : bus_(bus), clock_(clock), metrics_(metrics), timer_(loop, [this] { report(); }) {
  report_.service = std::move(process.service);
  report_.name = std::move(process.name);
  report_.instance = std::move(process.instance);
}

void HopRecorder::record(wire::Hop hop) {
  if (report_.hops.size() >= wire::kMaxHopsPerReport) return metrics_.dropped(1);
  metrics_.recorded();
  hop.time_us = clock_.wall_us();
  report_.hops.push_back(std::move(hop));
  if (!timer_.is_scheduled()) timer_.start_once(kHopReportPeriod);
}

void HopRecorder::report() {
  report_.dropped = metrics_.dropped();
  const SendResult sent = bus_.publish(subject::trace(), wire::encode(report_));
  if (sent != SendResult::kSent) metrics_.dropped(report_.hops.size());
  report_.hops.clear();
}

}  // namespace martlet::bus
