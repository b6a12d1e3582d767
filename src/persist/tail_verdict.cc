#include "persist/tail_verdict.h"

#include <algorithm>

#include "base/planted.h"

namespace martlet::persist {

TailVerdict judge_tail(const store::ShardState& row, LogPosition known, bus::LogSequence last) {
  if (is_planted(Planted::kKeepBase)) return TailVerdict::kWhole;
  const LogPosition end(row.base + last.value());
  if (end >= std::max(row.watermark, known)) return TailVerdict::kWhole;
  return end > row.watermark ? TailVerdict::kNotStored : TailVerdict::kLost;
}

}  // namespace martlet::persist
