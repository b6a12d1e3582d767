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

std::optional<Generation> ShardFence::generation_of(ShardId shard) const {
  const auto found = highest_.find(shard);
  if (found == highest_.end()) return std::nullopt;
  return found->second.generation;
}

}  // namespace martlet::edge
