#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "bus/bus.h"
#include "bus/leases.h"
#include "bus/log.h"
#include "dispatcher/metrics.h"
#include "dispatcher/options.h"
#include "dispatcher/published_tracker.h"
#include "dispatcher/shard_runner.h"
#include "event/loop.h"

namespace martlet::dispatcher {

// What a dispatcher is built on; all of it outlives it.
struct DispatcherParts {
  event::Loop& loop;
  bus::Bus& bus;
  bus::Log& log;
  bus::Leases& leases;
  const DispatcherOptions& options;
  std::uint16_t shards;
  std::string name;
  DispatcherMetrics& metrics;
  wire::HopSink* hops = nullptr;  // null: no message is followed
};

// The shell around all shards of a process: takes over and gives away as the leases say, and lets
// go of everything when the broker's connection is lost. Loop thread.
class Dispatcher final : public bus::LeaseListener {
 public:
  explicit Dispatcher(const DispatcherParts& parts);
  ~Dispatcher() override;
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  void start();
  // Finishes the appends under way, so that nothing is left open; takes no frames any more.
  void let_go_of_all(std::function<void()> done);
  // Gives the shards back. After let_go_of_all().
  void stop(std::function<void()> done);

  std::size_t shards_owned() const { return runners_.size(); }
  std::size_t shards_serving() const;

  // LeaseListener.
  void on_acquired(ShardId shard, Epoch epoch, const bus::ShardRecord& previous) override;
  void on_release_wanted(ShardId shard) override;
  void on_lost(ShardId shard) override;

 private:
  void on_watermark(const bus::Incoming& incoming);
  void on_bus_state(bus::BusState state);
  void doubted(ShardId shard);
  void remove(ShardId shard);
  void let_go(ShardId shard);
  void tell_when_all_are_gone();
  void tick();
  void ask_infos();
  void update_gauges();

  const DispatcherParts parts_;
  PublishedTracker published_;
  std::map<ShardId, std::unique_ptr<ShardRunner>> runners_;
  std::map<ShardId, MessageId> last_ids_;  // of shards that were ours
  std::unique_ptr<bus::Subscription> watermarks_;
  bool is_started_ = false;
  bool is_stopping_ = false;
  bool is_asking_infos_ = false;
  MonotonicTime infos_asked_;
  std::function<void()> all_gone_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  event::Timer timer_;
};

}  // namespace martlet::dispatcher
