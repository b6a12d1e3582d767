#include "sim/planted.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "sim/crew.h"

namespace martlet::sim {
namespace {

void plant([[maybe_unused]] Planted fault) {
#if MARTLET_PLANTED_FAULTS
  planted_fault = fault;
#endif
}

bool is_caught_by(const PlantedFault& fault, const Failure& failure) {
  return std::find(fault.promises.begin(), fault.promises.end(), failure.promise) !=
         fault.promises.end();
}

bool run_one(const PlantedFault& fault, CrewOrders orders) {
  plant(fault.fault);
  orders.stop_at = [&fault](const Failure& failure) { return is_caught_by(fault, failure); };
  const Sum sum = run_worlds(orders, [](const Failure&) {});
  plant(Planted::kNone);
  const auto caught =
      std::find_if(sum.failures.begin(), sum.failures.end(),
                   [&fault](const Failure& failure) { return is_caught_by(fault, failure); });
  if (caught == sum.failures.end()) {
    fmt::print("| {} | missed | {} seeds | {} |\n", fault.name, sum.seeds,
               sum.failures.empty() ? "" : sum.failures.front().promise);
    return false;
  }
  fmt::print("| {} | caught by simulation | {} seeds | {} {} |\n", fault.name, sum.seeds,
             caught->promise, caught->breach);
  return true;
}

}  // namespace

const std::vector<PlantedFault>& planted_faults() {
  static const std::vector<PlantedFault> all = {
      {Planted::kAckBeforeAppend, "acknowledge before the append", {"P1"}},
      {Planted::kPublishBeforeAppend, "publish before the append", {"P1", "P3"}},
      {Planted::kNoLookUp, "skip deduplication after take-over", {"P2"}},
      {Planted::kReuseMessageId, "reuse a message id", {"P3"}},
  };
  return all;
}

bool run_planted(std::uint64_t from, std::uint64_t seeds, std::size_t processes,
                 std::string_view only) {
  const CrewOrders orders{.from = from, .seeds = seeds, .processes = processes};
  std::size_t planted = 0;
  std::size_t caught = 0;
  for (const PlantedFault& fault : planted_faults()) {
    if (!only.empty() && fault.name.find(only) == std::string_view::npos) continue;
    ++planted;
    caught += run_one(fault, orders) ? 1 : 0;
  }
  const Sum clean = run_worlds(orders, [](const Failure& failure) {
    fmt::print("clean seed {}: {} {}: {}\n", failure.seed, failure.promise, failure.breach,
               failure.detail);
  });
  fmt::print("| none | {} | {} seeds | |\n", clean.failed == 0 ? "no complaint" : "complaints",
             clean.seeds);
  fmt::print("{} planted, {} caught\n", planted, caught);
  return planted == caught && clean.failed == 0;
}

}  // namespace martlet::sim
