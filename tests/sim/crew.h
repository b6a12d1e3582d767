#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/coverage.h"

namespace martlet::sim {

// A seed of which a promise was broken. Plain text, for it may come from another process.
struct Failure {
  std::uint64_t seed = 0;
  std::string promise;  // "P1" …; "P8": the process crashed
  std::string breach;
  std::string detail;
};

struct Sum {
  std::uint64_t seeds = 0;
  std::uint64_t failed = 0;
  std::vector<Failure> failures;  // the first ones of each seed
  Coverage coverage;
  std::vector<std::uint64_t> sends, faults, clients;  // of each seed
};

struct CrewOrders {
  std::uint64_t from = 1;
  std::uint64_t seeds = 1;
  std::size_t processes = 1;
  // True: enough was seen. Empty: all seeds are run.
  std::function<bool(const Failure&)> stop_at;
};

// Runs the worlds of many seeds in several processes; one that crashes costs its seed alone.
// on_failure is called as they come.
Sum run_worlds(const CrewOrders& orders, const std::function<void(const Failure&)>& on_failure);

}  // namespace martlet::sim
