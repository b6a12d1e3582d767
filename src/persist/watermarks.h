#pragma once

#include <functional>
#include <vector>

#include "base/assert.h"
#include "model/ids.h"
#include "store/types.h"

namespace martlet::persist {

// How far every shard is stored, as far as this process has heard: from its own commits, from other
// persists' announcements, from the table. Never ahead of the table. Loop thread.
class Watermarks {
 public:
  explicit Watermarks(std::uint16_t shards) : states_(shards) {}

  // True if it is news. Calls the listener then.
  bool learn(ShardId shard, const store::ShardState& state) {
    if (shard.value() >= states_.size()) return false;
    store::ShardState& known = states_[shard.value()];
    const bool newer = state.generation > known.generation ||
                       (state.generation == known.generation && state.watermark > known.watermark);
    if (!newer) return false;
    known = state;
    if (listener_) listener_();
    return true;
  }
  // One listener.
  void on_change(std::function<void()> listener) { listener_ = std::move(listener); }

  const store::ShardState& at(ShardId shard) const { return states_.at(shard.value()); }
  std::uint16_t shards() const { return static_cast<std::uint16_t>(states_.size()); }

 private:
  std::vector<store::ShardState> states_;
  std::function<void()> listener_;
};

}  // namespace martlet::persist
