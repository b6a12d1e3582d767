#pragma once

#include <compare>
#include <optional>
#include <unordered_map>

#include "model/ids.h"

namespace martlet::edge {

// Which life of a shard's log, and which owner in it. A higher generation beats any epoch.
struct Ownership {
  Generation generation;
  Epoch epoch;
  friend auto operator<=>(const Ownership&, const Ownership&) = default;
};

// Remembers the highest ownership seen of each shard, so that what an owner says that lost its
// shard without knowing it is recognised. Pure.
class ShardFence {
 public:
  enum class Verdict {
    kStale,    // of an earlier owner: to be dropped
    kCurrent,  //
    kNewer     // the first sign of a new owner
  };

  Verdict see(ShardId shard, Ownership ownership);
  // The highest seen so far.
  std::optional<Generation> generation_of(ShardId shard) const;

 private:
  std::unordered_map<ShardId, Ownership> highest_;
};

}  // namespace martlet::edge
