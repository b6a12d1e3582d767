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
      {Planted::kForgetWindow, "forget the window at take-over", {"P2"}},
      {Planted::kTrustFirstSent, "a first copy comes after its repeat was stored", {"P2"}},
      {Planted::kSkipFence, "skip the fence", {"P2", "P3"}},
      {Planted::kTwoAppends, "two appends in flight", {"P1", "P4"}},
      {Planted::kNoOwnerEntry, "no OWNER entry at take-over", {"P6"}},
      {Planted::kIgnoreGeneration, "ignore the generation", {"P3", "P4"}},
      {Planted::kIgnoreMembersAt, "ignore members_at", {"P7"}},
      {Planted::kWatermarkOnce, "announce a watermark once only", {"P4"}},
      {Planted::kTwoSnapshots, "token and rows from two snapshots", {"P4", "P5"}},
      {Planted::kCreditUntilStored, "STORED holds credit", {"P6"}},
      {Planted::kForgetWatermark, "forget the watermark", {"P1", "P3"}},
      {Planted::kPurgeTooMuch, "purge past the window", {"P1"}},
      {Planted::kApplyTwice, "apply a batch twice", {"P1", "P4"}},
      {Planted::kReorderBatch, "wrong order inside a batch", {"P3"}},
      {Planted::kReuseMessageId, "reuse a message id", {"P3"}},
      {Planted::kSkipBarrier, "skip the barrier", {"P5"}},
      {Planted::kLoseOneEvent, "drop a live event, with the tail check off", {"P4"}},
      {Planted::kUnsubscribeEarly, "unsubscribe before the last session left", {"P4"}},
      {Planted::kMissChanges, "an edge misses a change of members", {"P7"}},
      {Planted::kFanOutToRemoved, "fan out to a removed member", {"P7"}},
      {Planted::kSpeakAtOnce, "publish at once after a standstill", {"P6"}},
      {Planted::kSkipTokenCheck, "skip the token's check", {"P7"}},
      {Planted::kForgetRefusals, "forget what was refused for good", {"P6"}},
      {Planted::kSkipRights, "let everybody write", {"P7"}},
      {Planted::kSkipReadRights, "let everybody read", {"P7"}},
      {Planted::kAcceptOldAnswer, "believe the database more than the log", {"P1", "P3"}},
      {Planted::kStoredBeforeCommit, "announce a watermark before its commit", {"P1"}},
      {Planted::kSkipRows, "commit the watermark without the rows", {"P1", "P3"}},
      {Planted::kKeepBase, "do not look whether a log lost its end", {"P1", "P4"}},
      {Planted::kSkipGap, "take a gap for withheld", {"P4"}},
  };
  return all;
}

bool plant_one(std::string_view name) {
  for (const PlantedFault& fault : planted_faults()) {
    if (fault.name.find(name) == std::string_view::npos) continue;
    plant(fault.fault);
    return true;
  }
  return false;
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
  if (!only.empty()) {
    fmt::print("{} planted, {} caught\n", planted, caught);
    return planted == caught;
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
