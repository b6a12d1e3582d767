#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"

namespace martlet::bus {

// Who owns which shard: a heartbeat for each member and a record for each shard in a Kv bucket. The
// bucket is advice, the log decides (design: "Owning a shard"). Used by dispatchers (kind
// "dispatch") and persists (kind "persist"), which have separate records and heartbeats.
//
// A shard is free when it never had an owner, when its owner gave it back, or when its owner's
// heartbeat stood still for 2 s while our own renewals succeeded. Shards are spread evenly over the
// living members; a member with too many gives them back one at a time.
struct ShardRecord {
  std::string owner;      // empty: given back
  Epoch epoch;            // revision of the write that took it
  LogPosition published;  // published live up to here, confirmed by the broker
  LogPosition reached{};  // the log was there at least; a log that ends before lost its tail
};

// Called on the loop.
class LeaseListener {
 public:
  virtual ~LeaseListener() = default;
  // The shard is ours by the record; take it over. previous: the record before.
  virtual void on_acquired(ShardId shard, Epoch epoch, const ShardRecord& previous) = 0;
  // Give the shard away: finish or drop what is open, then call Leases::give_back.
  virtual void on_release_wanted(ShardId shard) = 0;
  // The record names another owner: let go at once, nothing may be answered any more.
  virtual void on_lost(ShardId shard) = 0;
};

class Leases {
 public:
  virtual ~Leases() = default;

  virtual void start(LeaseListener& listener) = 0;
  // Gives all shards back and stops; on_done within about a second, also without a broker.
  virtual void stop(std::function<void()> on_done) = 0;

  virtual void give_back(ShardId shard) = 0;
  // After a refused append, a time-out or a lost connection: reads the record. If it names us,
  // on_acquired follows with a new epoch (after a backoff with jitter); else on_lost.
  virtual void doubt(ShardId shard) = 0;
  // Notes how far the shard's entries were published live; written lazily, at most every 500 ms.
  virtual void note_published(ShardId shard, LogPosition position) = 0;
  // The log acknowledged this position: told by whatever is written of the shard from now on.
  virtual void note_reached(ShardId shard, LogPosition position) = 0;

  // Age of the last renewal that the broker acknowledged (measured from when it was sent).
  virtual Duration renewal_age() const = 0;
};

// A final refusal, or any answer without an append, needs a younger renewal.
inline constexpr Duration kMaxRenewalAge = std::chrono::milliseconds(1500);
inline constexpr Duration kHeartbeatPeriod = std::chrono::milliseconds(500);
inline constexpr Duration kHeartbeatDead = std::chrono::seconds(2);

}  // namespace martlet::bus
