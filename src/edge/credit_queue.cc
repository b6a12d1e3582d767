#include "edge/credit_queue.h"

namespace martlet::edge {

void CreditQueue::wait(ShardId shard, std::uint64_t link) {
  if (links_.insert(link).second) waiting_[shard].push_back(link);
}

std::optional<std::uint64_t> CreditQueue::next(ShardId shard) {
  const auto found = waiting_.find(shard);
  if (found == waiting_.end()) return std::nullopt;
  const std::uint64_t link = found->second.front();
  found->second.pop_front();
  if (found->second.empty()) waiting_.erase(found);
  links_.erase(link);
  return link;
}

std::vector<ShardId> CreditQueue::shards() const {
  std::vector<ShardId> result;
  for (const auto& [shard, links] : waiting_) result.push_back(shard);
  return result;
}

}  // namespace martlet::edge
