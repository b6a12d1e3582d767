#include "persist/tail_verdict.h"

#include <algorithm>

namespace martlet::persist {

TailVerdict judge_tail(const store::ShardState& row, LogPosition known, bus::LogSequence last) {
  const LogPosition end(row.base + last.value());
  if (end >= std::max(row.watermark, known)) return TailVerdict::kWhole;
  return end > row.watermark ? TailVerdict::kNotStored : TailVerdict::kLost;
}

}  // namespace martlet::persist
