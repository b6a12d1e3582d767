#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "bus/bus.h"
#include "event/loop.h"
#include "metrics/registry.h"
#include "wire/trace.h"

namespace martlet::bus {

// Between two reports of a process: what it did just before a kill -9 is lost with it.
inline constexpr Duration kHopReportPeriod = std::chrono::milliseconds(100);

class HopMetrics {
 public:
  explicit HopMetrics(metrics::Registry& registry);
  void recorded() { recorded_.add(); }
  void dropped(std::size_t hops) { dropped_.add(hops); }
  std::uint64_t dropped() const { return dropped_.value(); }

 private:
  metrics::Counter& recorded_;
  metrics::Counter& dropped_;
};

// Gathers hops and tells them on the broker, some times a second and many at once. Never waits: one
// for which there is no room is counted and gone. Loop thread; what it refers to outlives it.
class HopRecorder final : public wire::HopSink {
 public:
  struct Process {
    std::string service;
    std::string name;      // a label
    std::string instance;  // an id, fresh at every start
  };
  HopRecorder(event::Loop& loop, Bus& bus, const Clock& clock, HopMetrics& metrics,
              Process process);

  void record(wire::Hop hop) override;

 private:
  void report();

  Bus& bus_;
  const Clock& clock_;
  HopMetrics& metrics_;
  wire::HopReport report_;  // the next one
  event::Timer timer_;
};

}  // namespace martlet::bus
