#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/random.h"
#include "bus/kv.h"
#include "bus/lease_core.h"
#include "bus/leases.h"
#include "event/loop.h"

namespace martlet::bus {

struct LeaseOptions {
  std::string kind;    // "dispatch" or "persist": own records and beats
  std::string member;  // fresh at each start, or at least of one process at a time
  std::uint16_t shards = 16;
};

// Leases over a bucket. The bucket must exist; it, loop and random outlive this. Loop thread.
class KvLeases final : public Leases {
 public:
  KvLeases(event::Loop& loop, Kv& kv, Random& random, LeaseOptions options);

  void start(LeaseListener& listener) override;
  void stop(std::function<void()> on_done) override;
  void give_back(ShardId shard) override;
  void doubt(ShardId shard) override;
  void note_published(ShardId shard, LogPosition position) override;
  void note_reached(ShardId shard, LogPosition position) override;
  Duration renewal_age() const override;

 private:
  void on_tick();
  void run_actions();
  void on_heard(std::string_view key, BytesView value);
  void run(const lease_action::WriteBeat& action);
  void run(const lease_action::ReadBeat& action);
  void run(const lease_action::ReadRecord& action);
  void run(const lease_action::WriteRecord& action);
  void run(const lease_action::Acquired& action);
  void run(const lease_action::ReleaseWanted& action);
  void run(const lease_action::Lost& action);

  event::Loop& loop_;
  Kv& kv_;
  const LeaseOptions options_;
  LeaseCore core_;
  LeaseListener* listener_ = nullptr;
  bool running_actions_ = false;
  std::function<void()> on_stopped_;
  MonotonicTime stop_at_;
  event::Timer ticker_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace martlet::bus
