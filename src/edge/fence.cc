#include "edge/fence.h"

namespace martlet::edge {

ShardFence::Verdict ShardFence::see(ShardId shard, Ownership ownership) {
  const auto [entry, is_first] = highest_.try_emplace(shard, ownership);
  if (is_first) return Verdict::kNewer;
  if (ownership == entry->second) return Verdict::kCurrent;
  if (ownership < entry->second) return Verdict::kStale;
  entry->second = ownership;
  return Verdict::kNewer;
}

}  // namespace martlet::edge
