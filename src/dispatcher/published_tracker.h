#pragma once

#include <functional>
#include <map>

#include "bus/bus.h"
#include "bus/leases.h"
#include "event/loop.h"

namespace martlet::dispatcher {

// Notes in the leases how far each shard was published live, once the broker has confirmed that it
// handled these publishes. One question to the broker serves all shards. Loop thread.
class PublishedTracker {
 public:
  PublishedTracker(event::Loop& loop, bus::Bus& bus, bus::Leases& leases);

  // Everything up to the position was handed to the bus.
  void published(ShardId shard, LogPosition position) { waiting_[shard] = position; }
  // What the bus has of this shard may be lost: nothing of it is noted any more.
  void forget(ShardId shard) { waiting_.erase(shard); }
  // Confirms and notes now; done in any case, soon. For a shard that is given away.
  void flush(std::function<void()> done);

 private:
  void confirm(std::function<void()> done);

  bus::Bus& bus_;
  bus::Leases& leases_;
  std::map<ShardId, LogPosition> waiting_;
  bool is_asking_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  event::Timer timer_;
};

}  // namespace martlet::dispatcher
