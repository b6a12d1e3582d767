#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/identity.h"
#include "auth/keys.h"
#include "base/random.h"
#include "bus/bus.h"
#include "bus/cluster_check.h"
#include "bus/kv.h"
#include "bus/leases.h"
#include "bus/log.h"
#include "persist/account_desk.h"
#include "persist/admin_desk.h"
#include "persist/barrier.h"
#include "persist/cold_desk.h"
#include "persist/follower.h"
#include "persist/groups_desk.h"
#include "persist/hash_pool.h"
#include "persist/read_desk.h"
#include "persist/shard_desk.h"
#include "persist/trace_desk.h"
#include "service/application.h"

namespace martlet::persist {

// What persist is built on; main.cc names the back ends. Destroyed after persist, in reverse order.
struct Backends {
  std::unique_ptr<bus::Bus> bus;
  std::unique_ptr<bus::Log> log;
  std::unique_ptr<bus::Kv> cluster;  // the lease bucket
  std::unique_ptr<bus::Leases> leases;
  std::unique_ptr<store::MessageStore> store;
  std::unique_ptr<auth::SigningKey> key;
  auth::IdentityProvider identity;
};

// The service: follows the logs of its shards, answers requests of edges and dispatchers. Loop
// thread.
class Persist final : public service::Application, private bus::LeaseListener {
 public:
  Persist(event::Loop& loop, metrics::Registry& registry, const PersistOptions& options,
          std::uint16_t shards, Backends backends);
  ~Persist() override;

  void start(Started on_started) override;
  Result<void> ready() const override;
  void stop_phase_one(Done on_done) override;
  void stop_phase_two(Done on_done) override;

 private:
  void on_acquired(ShardId shard, Epoch epoch, const bus::ShardRecord& previous) override;
  void on_release_wanted(ShardId shard) override;
  void on_lost(ShardId shard) override;
  void let_go(ShardId shard);
  void remove(ShardId shard);
  void stop_leases_when_all_are_gone();

  void check_cluster();
  void serve();
  void started(const Result<void>& done);
  void subscribe();
  void on_watermark(const bus::Incoming& message);
  void announce(ShardId shard);
  void on_tick();
  void on_second();
  // What was known of a shard that is followed when the table was asked for.
  struct Before {
    LogPosition watermark;
    std::optional<bus::LogInfo> log;
  };
  void learn(ShardId shard, const store::ShardState& state);
  void table_seen(const store::ShardStates& states, const std::map<ShardId, Before>& before);
  void look_at_logs();
  void logs_seen(const std::vector<bus::LogInfo>& infos);
  void look_up_soon();
  void look_up_ends();
  void look_up_done(const Result<bus::LogInfos>& infos);
  void ends_seen(const Result<bus::LogInfos>& infos);
  void forget_old();
  void finish_stop();

  event::Loop& loop_;
  PersistOptions options_;
  Backends backends_;
  bus::ClusterCheck cluster_check_;
  PersistMetrics metrics_;
  SystemRandom random_;
  OpenRequests open_;
  Watermarks watermarks_;
  Barrier barrier_;
  HashPool hashes_;
  AccountDesk accounts_;
  ReadDesk reads_;
  GroupsDesk groups_;
  ColdDesk cold_;
  AdminDesk admin_;
  TraceDesk trace_;
  ShardDesk shard_desk_;
  std::map<ShardId, std::unique_ptr<Follower>> followers_;
  std::vector<std::unique_ptr<bus::Subscription>> subscriptions_;
  std::unique_ptr<bus::Subscription> announcements_;
  event::Timer tick_;
  event::Timer look_up_;
  event::Timer second_;
  event::Timer purge_;
  event::Timer forget_;
  bool loading_ = false;
  bool stopping_ = false;
  bool leases_stopping_ = false;
  bool leases_stopped_ = false;
  MonotonicTime table_seen_at_{};
  Started on_started_;
  Done on_stopped_;
  // Callbacks of the back ends look here first.
  std::shared_ptr<Persist*> self_ = std::make_shared<Persist*>(this);
};

}  // namespace martlet::persist
