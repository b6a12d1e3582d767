#include "dispatcher/options.h"

#include "bus/replicas.h"
#include "dispatcher/limits.h"

namespace martlet::dispatcher {

void declare(config::Keys& keys, DispatcherOptions& options) {
  keys.bytes("shard.log_bytes", &options.shard.log_bytes,
             {std::int64_t(kMinLogBytes), std::int64_t(kMaxLogBytes), "bytes"},
             "size of a shard's log at which senders are refused until the database has followed");
  bus::declare_replicas(keys, options.replicas);
  keys.integer("dispatcher.heads_per_shard", &options.shard.heads,
               {10, 10'000'000, "conversations"}, "conversations that a shard keeps in memory");
  keys.duration("dispatcher.window_s", &options.shard.window_time,
                {std::chrono::seconds(30), std::chrono::hours(1)},
                "how long a stored message is recognized without asking the database");
  keys.integer("dispatcher.parked_frames", &options.shard.parked_frames, {1, 100'000, "frames"},
               "frames of a shard that may wait for the database");
  keys.integer("dispatcher.sender_deliveries_per_s", &options.shard.fanout.sender,
               {0, kMostDeliveriesPerSecond, "deliveries"},
               "members of a group times messages that one of them sends to it; 0: no limit");
  keys.integer("dispatcher.group_deliveries_per_s", &options.shard.fanout.group,
               {0, kMostDeliveriesPerSecond, "deliveries"},
               "the same for all its members together");
  keys.integer("dispatcher.queued_entries", &options.shard.queued_entries,
               {1, 1'000'000, "entries"}, "entries of a shard that may wait for their append");
  keys.integer("dispatcher.stored_waits", &options.shard.stored_waits, {0, 10'000'000, "messages"},
               "messages of a shard whose senders are to be told when they are stored");
}

}  // namespace martlet::dispatcher
