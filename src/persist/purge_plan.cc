#include "persist/purge_plan.h"

#include <algorithm>

#include "base/planted.h"

namespace martlet::persist {
namespace {
constexpr Duration kSamplePeriod = std::chrono::seconds(1);
}

void PurgePlan::stored(LogPosition watermark, MonotonicTime now) {
  // Of several within a second only the first counts: the others are younger.
  if (!samples_.empty() && now - samples_.back().time < kSamplePeriod) return;
  samples_.push_back({now, watermark});
}

std::optional<bus::LogSequence> PurgePlan::keep_from(const store::ShardState& state,
                                                     const bus::LogInfo& log, MonotonicTime now) {
  while (!samples_.empty() && now - samples_.front().time >= keep_) {
    old_enough_ = samples_.front().watermark;
    samples_.pop_front();
  }
  if (!old_enough_ || old_enough_->value() < state.base) return std::nullopt;
  const std::uint64_t wanted = old_enough_->value() - state.base + 1;
  const bool too_much = is_planted(Planted::kPurgeTooMuch);
  const std::uint64_t from = too_much ? log.last.value() : std::min(wanted, log.last.value());
  if (from <= 1 || from <= log.first.value()) return std::nullopt;
  return bus::LogSequence(from);
}

}  // namespace martlet::persist
