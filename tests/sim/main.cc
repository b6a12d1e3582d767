// martlet-sim: worlds by seed. See docs/simulation.md.
#include <spdlog/fmt/fmt.h>
#include <spdlog/sinks/base_sink.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/log.h"
#include "sim/nemesis.h"
#include "sim/workload.h"
#include "sim/world.h"

namespace {

using namespace martlet;
using namespace martlet::sim;

constexpr Duration kTrafficTime = std::chrono::seconds(9);

// Lines with the world's time and the process that wrote them.
class TraceSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (!Scheduler::exists()) return;
    const Scheduler& scheduler = Scheduler::get();
    const double seconds =
        double(to_ms(scheduler.now().time_since_epoch())) / 1000.0 - 1000.0;
    const std::string name = scheduler.lane() ? scheduler.lane()->name : "world";
    std::fprintf(stdout, "%8.3f %-16s %.*s\n", seconds, name.c_str(), int(message.payload.size()),
                 message.payload.data());
  }
  void flush_() override { std::fflush(stdout); }
};

std::vector<Finding> run(std::uint64_t seed, Coverage& coverage) {
  World world(seed);
  Workload workload(world);
  Nemesis nemesis(world);
  world.begin();
  workload.begin();
  nemesis.plan(kTrafficTime);
  workload.plan(kTrafficTime);
  world.scheduler().run_until(world.scheduler().now() + kTrafficTime);
  std::vector<Finding> findings = world.finish();
  coverage.add(world.coverage());
  coverage.add("steps", world.scheduler().steps());
  coverage.add("virtual ms", to_ms<std::uint64_t>(world.scheduler().now().time_since_epoch()) -
                                 1'000'000);
  return findings;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t from = 1, seeds = 10;
  bool trace = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--trace") == 0) trace = true;
    if (std::strcmp(argv[i], "--from") == 0) from = std::strtoull(argv[++i], nullptr, 10);
    if (std::strcmp(argv[i], "--seeds") == 0) seeds = std::strtoull(argv[++i], nullptr, 10);
  }
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("sim", std::make_shared<TraceSink>()));
  spdlog::set_level(trace ? spdlog::level::debug : spdlog::level::off);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  Coverage coverage;
  std::size_t failed = 0;
  for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
    std::fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    const auto findings = run(seed, coverage);
    failed += findings.empty() ? 0 : 1;
    for (const Finding& finding : findings) {
      fmt::print("seed {}: {} {}: {}\n", seed, promise_of(finding.breach), name_of(finding.breach),
                 finding.detail);
    }
  }
  for (const auto& [name, count] : coverage.all()) fmt::print("{:>10} {}\n", count, name);
  fmt::print("{} seeds, {} failed\n", seeds, failed);
  return failed == 0 ? 0 : 1;
}
