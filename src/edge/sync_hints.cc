#include "edge/sync_hints.h"

#include <algorithm>
#include <utility>

namespace martlet::edge {
namespace {

// At most as often is a client told that never syncs.
constexpr Duration kAtLeast = std::chrono::seconds(1);

}  // namespace

bool SyncHints::want(MonotonicTime by, bool is_syncing, MonotonicTime now) {
  const bool is_pending = written_ && now < *written_ && *written_ <= std::max(by, now + kAtLeast);
  if (is_pending && is_syncing) owed_ = std::min(owed_.value_or(by), by);
  if (is_pending) return false;
  written(by, is_syncing, now);
  return true;
}

void SyncHints::written(MonotonicTime by, bool is_syncing, MonotonicTime now) {
  written_ = std::max(by, now + kAtLeast);
  if (is_syncing) owed_ = std::min(owed_.value_or(by), by);
}

void SyncHints::asked() {
  written_.reset();
  owed_.reset();
}

// What was written between two pages came before an answer too.
std::optional<MonotonicTime> SyncHints::answered() {
  const auto written = std::exchange(written_, std::nullopt);
  const auto owed = std::exchange(owed_, std::nullopt);
  if (written && owed) return std::min(*written, *owed);
  return written ? written : owed;
}

}  // namespace martlet::edge
