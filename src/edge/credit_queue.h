#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "model/ids.h"

namespace martlet::edge {

// Which links wait for credit of which shard, first come first served. A link waits for one shard
// at a time: it takes nothing else meanwhile. Pure.
class CreditQueue {
 public:
  void wait(ShardId shard, std::uint64_t link);
  std::optional<std::uint64_t> next(ShardId shard);
  std::vector<ShardId> shards() const;

 private:
  std::unordered_map<ShardId, std::deque<std::uint64_t>> waiting_;
  std::unordered_set<std::uint64_t> links_;
};

}  // namespace martlet::edge
