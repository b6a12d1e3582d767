#include "sim/run.h"

#include <spdlog/sinks/base_sink.h>

#include <cstdio>
#include <memory>

#include "base/log.h"
#include "sim/nemesis.h"
#include "sim/workload.h"
#include "sim/world.h"

namespace martlet::sim {
namespace {

constexpr Duration kTrafficTime = std::chrono::seconds(9);
constexpr double kStartSeconds = 1000;

class TraceSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (!Scheduler::exists()) return;
    const Scheduler& scheduler = Scheduler::get();
    const auto ms = to_ms<double>(scheduler.now().time_since_epoch());
    std::printf("%8.3f %-16s %.*s\n", ms / 1000 - kStartSeconds,
                scheduler.lane() ? scheduler.lane()->name.c_str() : "world",
                static_cast<int>(message.payload.size()), message.payload.data());
  }
  void flush_() override {}
};

}  // namespace

Outcome run_world(std::uint64_t seed) {
  World world(seed);
  Workload workload(world);
  Nemesis nemesis(world);
  world.begin();
  workload.begin();
  nemesis.plan(kTrafficTime);
  workload.plan(kTrafficTime);
  world.scheduler().run_until(world.scheduler().now() + kTrafficTime);
  Outcome outcome;
  outcome.findings = world.finish();
  outcome.coverage = world.coverage();
  return outcome;
}

void start_trace() {
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("sim", std::make_shared<TraceSink>()));
  spdlog::set_level(spdlog::level::debug);
}

}  // namespace martlet::sim
