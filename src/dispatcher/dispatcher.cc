#include "dispatcher/dispatcher.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "bus/subjects.h"
#include "dispatcher/limits.h"

namespace martlet::dispatcher {

Dispatcher::Dispatcher(const DispatcherParts& parts)
    : parts_(parts),
      published_(parts.loop, parts.bus, parts.leases),
      timer_(parts.loop, [this] { tick(); }) {
  parts_.metrics.log_limit(parts_.options.shard.log_bytes);
}

Dispatcher::~Dispatcher() {
  parts_.bus.on_state([](bus::BusState) {});
}

void Dispatcher::start() {
  is_started_ = true;
  parts_.bus.on_state([this](bus::BusState state) { on_bus_state(state); });
  watermarks_ = parts_.bus.subscribe(bus::subject::all_watermarks(), "", bus::Priority::kDroppable,
                                     [this](const bus::Incoming& in) { on_watermark(in); });
  parts_.leases.start(*this);
  timer_.start_every(kTickPeriod);
}

std::size_t Dispatcher::shards_serving() const {
  return static_cast<std::size_t>(
      std::count_if(runners_.begin(), runners_.end(),
                    [](const auto& item) { return item.second->is_serving(); }));
}

void Dispatcher::on_acquired(ShardId shard, Epoch epoch, const bus::ShardRecord& previous) {
  remove(shard);
  MARTLET_LOG(info, "shard_acquired shard={} epoch={} previous_owner={} published={}",
              shard.value(), epoch.value(), previous.owner, previous.published.value());
  parts_.metrics.lease(metrics::LeaseChange::kAcquired);
  if (is_stopping_) {
    parts_.leases.give_back(shard);
    return tell_when_all_are_gone();
  }
  const ShardContext context{parts_.loop,    parts_.bus,     parts_.log,    parts_.leases,
                             published_,     parts_.options, parts_.shards, parts_.name,
                             parts_.metrics, parts_.hops};
  const TakeOverCore::Given given{shard, epoch, previous.published, previous.reached,
                                  last_ids_[shard]};
  auto& runner = runners_[shard];
  runner = std::make_unique<ShardRunner>(
      context, given, ShardRunner::Events{[this, shard](const std::string&) { doubted(shard); }});
  runner->start();
}

void Dispatcher::on_release_wanted(ShardId shard) {
  if (!runners_.contains(shard)) return parts_.leases.give_back(shard);
  MARTLET_LOG(info, "shard_released shard={}", shard.value());
  parts_.metrics.lease(metrics::LeaseChange::kGivenBack);
  let_go(shard);
}

void Dispatcher::let_go(ShardId shard) {
  runners_.at(shard)->let_go([this, shard] {
    remove(shard);
    // When the whole process stops, the leases give everything back at once.
    if (!is_stopping_) return parts_.leases.give_back(shard);
    tell_when_all_are_gone();
  });
}

void Dispatcher::on_lost(ShardId shard) {
  MARTLET_LOG(warn, "shard_lost shard={}", shard.value());
  parts_.metrics.lease(metrics::LeaseChange::kLost);
  remove(shard);
  tell_when_all_are_gone();
}

void Dispatcher::doubted(ShardId shard) {
  remove(shard);
  if (is_stopping_) return tell_when_all_are_gone();
  parts_.leases.doubt(shard);
}

// A runner may be the caller of this: it is ended now and destroyed at the end of the turn.
void Dispatcher::remove(ShardId shard) {
  const auto found = runners_.find(shard);
  if (found == runners_.end()) return;
  if (const ShardCore* core = found->second->core()) {
    last_ids_[shard] = core->last_message_id();
  }
  found->second->end();
  parts_.metrics.shard(shard, {});
  parts_.loop.defer_delete(std::move(found->second));
  runners_.erase(found);
}

void Dispatcher::on_watermark(const bus::Incoming& incoming) {
  const auto told = wire::parse_watermark(incoming.payload);
  if (!told) return;
  const auto runner = runners_.find(told->shard);
  if (runner != runners_.end()) runner->second->watermark(*told);
}

// What was under way at that moment is open: each shard is taken over anew, which reads the log.
void Dispatcher::on_bus_state(bus::BusState state) {
  if (state != bus::BusState::kDisconnected) return;
  std::vector<ShardId> owned;
  for (const auto& [shard, runner] : runners_) owned.push_back(shard);
  if (!owned.empty()) MARTLET_LOG(warn, "broker_lost shards_doubted={}", owned.size());
  for (const ShardId shard : owned) {
    parts_.metrics.doubted();
    doubted(shard);
  }
}

void Dispatcher::tick() {
  // A tick may end a runner.
  std::vector<ShardId> owned;
  for (const auto& [shard, runner] : runners_) owned.push_back(shard);
  for (const ShardId shard : owned) {
    const auto runner = runners_.find(shard);
    if (runner != runners_.end()) runner->second->tick();
  }
  ask_infos();
  update_gauges();
}

// One look at the broker serves all shards' reckoning of how full their logs are.
void Dispatcher::ask_infos() {
  const bool is_full = std::any_of(runners_.begin(), runners_.end(), [](const auto& item) {
    return item.second->core() != nullptr && item.second->core()->is_full();
  });
  const Duration period = is_full ? kInfoPeriodWhenFull : kInfoPeriod;
  if (is_asking_infos_ || shards_serving() == 0) return;
  if (parts_.loop.now() - infos_asked_ < period) return;
  is_asking_infos_ = true;
  infos_asked_ = parts_.loop.now();
  std::map<ShardId, Epoch> asked;
  for (const auto& [shard, runner] : runners_) {
    if (!runner->is_serving()) continue;
    runner->info_asked();
    asked[shard] = runner->core()->epoch();
  }
  parts_.log.infos(
      {}, kStepTimeout,
      [this, asked, alive = std::weak_ptr<int>(alive_)](const Result<bus::LogInfos>& infos) {
        if (alive.expired()) return;
        is_asking_infos_ = false;
        if (!infos) return;
        for (const bus::LogInfo& info : infos->found) {
          const auto epoch = asked.find(info.shard);
          const auto runner = runners_.find(info.shard);
          if (epoch == asked.end() || runner == runners_.end() || !runner->second->is_serving()) {
            continue;
          }
          // A shard taken over meanwhile counts anew.
          if (runner->second->core()->epoch() == epoch->second) runner->second->info(info);
        }
      });
}

void Dispatcher::update_gauges() {
  std::size_t heads = 0;
  std::size_t window = 0;
  std::size_t parked = 0;
  std::size_t queued = 0;
  std::size_t stored_waits = 0;
  std::size_t buffered = 0;
  for (const auto& [shard, runner] : runners_) {
    buffered += runner->buffered();
    const ShardCore* core = runner->core();
    if (core == nullptr) continue;
    parts_.metrics.shard(shard, {runner->is_serving(), core->log_bytes(), core->epoch(),
                                 core->fanned_out(), runner->unstored()});
    stored_waits += core->stored_waits();
    heads += core->heads();
    window += core->window();
    parked += core->parked();
    queued += core->queued();
  }
  parts_.metrics.shards_owned(runners_.size());
  parts_.metrics.shards_serving(shards_serving());
  parts_.metrics.heads_kept(heads);
  parts_.metrics.window_kept(window);
  parts_.metrics.frames_parked(parked);
  parts_.metrics.entries_queued(queued);
  parts_.metrics.stored_waits(stored_waits);
  parts_.metrics.frames_buffered(buffered);
}

void Dispatcher::let_go_of_all(std::function<void()> done) {
  is_stopping_ = true;
  if (runners_.empty()) return done();
  all_gone_ = std::move(done);
  std::vector<ShardId> owned;
  for (const auto& [shard, runner] : runners_) owned.push_back(shard);
  for (const ShardId shard : owned) {
    if (runners_.contains(shard)) let_go(shard);
  }
}

void Dispatcher::tell_when_all_are_gone() {
  if (runners_.empty() && all_gone_) std::exchange(all_gone_, {})();
}

void Dispatcher::stop(std::function<void()> done) {
  timer_.cancel();
  watermarks_.reset();
  if (!is_started_) return done();
  parts_.leases.stop(std::move(done));
}

}  // namespace martlet::dispatcher
