// martlet-sim: worlds by seed (docs/simulation.md).
//   martlet-sim --seeds N [--from S] [--fresh N] [--processes N]
//   martlet-sim --seed S [--trace]
//   martlet-sim --planted NAME|all [--seeds N] (a build with planted_faults)
//   martlet-sim --planted NAME --seed S [--trace]
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "base/log.h"
#include "sim/crew.h"
#include "sim/nemesis.h"
#include "sim/planted.h"
#include "sim/run.h"

namespace {

using namespace martlet;
using namespace martlet::sim;

// A kind of fault or a path that is rarer than this shows that the simulation lost its teeth.
constexpr std::uint64_t kLeastOfAKind = 100;
constexpr std::uint64_t kPerSeeds = 20'000;
// With fewer seeds chance decides.
constexpr std::uint64_t kLeastSeedsToJudge = 2'000;
constexpr std::uint64_t kLeastSends = 200;
constexpr std::uint64_t kLeastClients = 5;
constexpr std::uint64_t kLeastFaults = 3;
constexpr std::size_t kRepeated = 10;

struct Options {
  std::uint64_t from = 1;
  std::uint64_t seeds = 1'000;
  std::uint64_t fresh = 0;  // so many more, from a base that nobody saw before
  std::size_t processes = std::max(1U, std::thread::hardware_concurrency());
  std::optional<std::uint64_t> seed;
  bool trace = false;
  std::optional<std::string> planted;  // a part of a name; empty: all
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Options> parse(const std::vector<std::string_view>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view name = arguments[i];
    if (name == "--trace") {
      options.trace = true;
      continue;
    }
    if (name == "--planted" && MARTLET_PLANTED_FAULTS && i + 1 < arguments.size()) {
      options.planted = arguments[++i] == "all" ? "" : std::string(arguments[i]);
      continue;
    }
    const auto value = i + 1 < arguments.size() ? number(arguments[++i]) : std::nullopt;
    if (!value) return std::nullopt;
    if (name == "--from") {
      options.from = *value;
    } else if (name == "--seeds") {
      options.seeds = *value;
    } else if (name == "--fresh") {
      options.fresh = *value;
    } else if (name == "--processes" && *value > 0) {
      options.processes = *value;
    } else if (name == "--seed") {
      options.seed = *value;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

void print(const Failure& failure) {
  fmt::print("seed {}: {} {}: {}\n", failure.seed, failure.promise, failure.breach, failure.detail);
}

int run_one(std::uint64_t seed, bool trace) {
  if (trace) start_trace();
  const Outcome outcome = run_world(seed);
  for (const Finding& finding : outcome.findings) {
    print({seed, std::string(promise_of(finding.breach)), std::string(name_of(finding.breach)),
           finding.detail});
  }
  if (!trace) {
    for (const auto& [name, count] : outcome.coverage.all()) fmt::print("{:>10} {}\n", count, name);
  }
  fmt::print("1 seeds, {} failed\n", outcome.findings.empty() ? 0 : 1);
  return outcome.findings.empty() ? 0 : 1;
}

std::uint64_t median(std::vector<std::uint64_t> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// True: enough of everything happened.
bool judge(const Sum& sum) {
  bool enough = true;
  const auto lacks = [&](const std::string& what) {
    fmt::print("too little: {}\n", what);
    enough = false;
  };
  if (median(sum.sends) < kLeastSends) lacks("sends in the median seed");
  if (median(sum.clients) < kLeastClients) lacks("clients in the median seed");
  if (median(sum.faults) < kLeastFaults) lacks("faults in the median seed");
  if (sum.seeds < kLeastSeedsToJudge) return enough;
  std::vector<std::string> wanted = Coverage::paths();
  for (const std::string& name : Nemesis::names()) wanted.push_back("fault: " + name);
  for (const std::string& name : wanted) {
    const std::uint64_t count = sum.coverage.of(name);
    if (count * kPerSeeds < kLeastOfAKind * sum.seeds) {
      lacks(fmt::format("{}: {} times", name, count));
    }
  }
  return enough;
}

int run_many(const Options& options) {
  CrewOrders orders{.from = options.from, .seeds = options.seeds, .processes = options.processes};
  Sum sum = run_worlds(orders, print);
  if (options.fresh > 0) {
    orders.from =
        static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
    orders.seeds = options.fresh;
    fmt::print("fresh seeds from {}\n", orders.from);
    const Sum more = run_worlds(orders, print);
    sum.seeds += more.seeds;
    sum.failed += more.failed;
    sum.failures.insert(sum.failures.end(), more.failures.begin(), more.failures.end());
    sum.coverage.add(more.coverage);
    sum.sends.insert(sum.sends.end(), more.sends.begin(), more.sends.end());
    sum.faults.insert(sum.faults.end(), more.faults.begin(), more.faults.end());
    sum.clients.insert(sum.clients.end(), more.clients.begin(), more.clients.end());
  }
  for (const auto& [name, count] : sum.coverage.all()) fmt::print("{:>10} {}\n", count, name);
  fmt::print("median seed: {} sends, {} clients, {} faults\n", median(sum.sends),
             median(sum.clients), median(sum.faults));
  const bool enough = judge(sum);
  // Once more, for whoever sees only the end.
  for (std::size_t i = 0; i < std::min(sum.failures.size(), kRepeated); ++i) print(sum.failures[i]);
  fmt::print("{} seeds, {} failed\n", sum.seeds, sum.failed);
  return sum.failed == 0 && enough ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse({argv + 1, argv + argc});
  if (!options) {
    fmt::print(stderr,
               "usage: martlet-sim --seeds N [--from S] [--fresh N] [--processes N]\n"
               "       martlet-sim --seed S [--trace]\n");
    return 2;
  }
  spdlog::set_level(spdlog::level::off);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (options->planted && options->seed) {
    if (!plant_one(*options->planted)) return 2;
  } else if (options->planted) {
    const bool good =
        run_planted(options->from, options->seeds, options->processes, *options->planted);
    return good ? 0 : 1;
  }
  return options->seed ? run_one(*options->seed, options->trace) : run_many(*options);
}
