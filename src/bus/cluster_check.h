#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "bus/kv.h"
#include "event/loop.h"

namespace martlet::bus {

inline constexpr std::string_view kLeaseBucket = "im_leases";

// The number of shards is fixed for the life of a cluster. Whoever comes first writes it to the key
// "cluster"; an error (kConflict) if it is another number than ours. The bucket must exist. Loop
// thread; the bucket outlives the call back. Who only reads is told kUnavailable before that.
enum class ClusterKey { kWrite, kOnlyRead };
void check_cluster(Kv& kv, std::uint16_t shards, ClusterKey key, Kv::Done callback);

// The same at the start of a service, and the bucket is made if need be. A broker that was reached
// may still not answer: it starts itself, or its servers elect one. Then both are asked for again,
// until the wait is over; only a conflict is final at once. Loop thread; loop and bucket outlive
// it. After its end nobody is called back.
class ClusterCheck {
 public:
  struct Options {
    int replicas = 1;
    std::uint16_t shards = 0;
    Duration wait{};
    ClusterKey key = ClusterKey::kWrite;
  };

  ClusterCheck(event::Loop& loop, Kv& kv, Options options);
  ~ClusterCheck();
  ClusterCheck(const ClusterCheck&) = delete;
  ClusterCheck& operator=(const ClusterCheck&) = delete;

  // Once.
  void start(Kv::Done callback);

 private:
  void ask();
  void on_done(const Result<void>& done);

  event::Loop& loop_;
  Kv& kv_;
  const Options options_;
  MonotonicTime give_up_at_{};
  std::string reason_;  // that was logged last
  Kv::Done callback_;
  event::Timer again_;
  // Callbacks of the bucket look here first.
  std::shared_ptr<ClusterCheck*> self_ = std::make_shared<ClusterCheck*>(this);
};

}  // namespace martlet::bus
