#include "persist/persist.h"

#include <utility>

#include "base/log.h"
#include "base/planted.h"
#include "bus/subjects.h"
#include "persist/limits.h"
#include "wire/envelopes.h"

namespace martlet::persist {
namespace {
// The table is looked at every second; after so long without an answer we are not ready.
constexpr Duration kTableStale = 5s;
}  // namespace

Persist::Persist(event::Loop& loop, metrics::Registry& registry, const PersistOptions& options,
                 std::uint16_t shards, Backends backends)
    : loop_(loop),
      options_(options),
      backends_(std::move(backends)),
      cluster_check_(loop, *backends_.cluster, {options.replicas, shards, options.nats_wait}),
      metrics_(registry, shards),
      watermarks_(shards),
      barrier_(watermarks_, {options.max_waiting, options.barrier_wait, kLookUpPeriod}),
      hashes_(loop, metrics_, {options.hash_queue, options.hash_threads, options.hash_wait}),
      accounts_({loop, *backends_.bus, *backends_.store, hashes_, metrics_, random_, *backends_.key,
                 backends_.identity, options_}),
      reads_({loop, *backends_.store, barrier_, metrics_, shards}),
      groups_({loop, *backends_.bus, *backends_.store, barrier_, metrics_, open_, shards}),
      cold_({loop, *backends_.bus, *backends_.store, watermarks_, metrics_}),
      admin_({loop, *backends_.bus, *backends_.store, metrics_}),
      trace_({loop, *backends_.bus, *backends_.log, *backends_.store, barrier_, watermarks_,
              metrics_, shards}),
      shard_desk_({loop, *backends_.bus, *backends_.log, *backends_.store, watermarks_, metrics_,
                   [this](ShardId shard) { announce(shard); }}),
      tick_(loop, [this] { on_tick(); }),
      look_up_(loop, [this] { look_up_ends(); }),
      second_(loop, [this] { on_second(); }),
      purge_(loop, [this] { look_at_logs(); }),
      forget_(loop, [this] { forget_old(); }) {
  watermarks_.on_change([this] { barrier_.watermarks_changed(); });
  barrier_.on_add([this] { look_up_soon(); });
}

Persist::~Persist() {
  *self_ = nullptr;
  // The calls that wait there count themselves out of open_.
  backends_.store.reset();
}

void Persist::start(Started on_started) {
  on_started_ = std::move(on_started);
  on_second();
}

void Persist::started(const Result<void>& done) {
  if (on_started_) std::exchange(on_started_, nullptr)(done);
}

// The table was read for the first time.
void Persist::check_cluster() {
  cluster_check_.start([this](const Result<void>& same) { same ? serve() : started(same); });
}

void Persist::serve() {
  if (on_stopped_ || !on_started_) return;
  subscribe();
  tick_.start_every(kTickPeriod);
  second_.start_every(kAnnouncePeriod);
  purge_.start_every(kPurgePeriod);
  forget_.start_every(kForgetPeriod);
  backends_.leases->start(*this);
  backends_.bus->after_subscriptions(kInfoTimeout, [self = self_](const Result<void>& done) {
    if (*self != nullptr) (*self)->started(done);
  });
}

void Persist::subscribe() {
  const ClientCall::Parts parts{loop_, *backends_.bus, metrics_, open_};
  const auto answer = [this](std::string subject, bus::Bus::Handler handler) {
    subscriptions_.push_back(backends_.bus->subscribe(subject, bus::subject::persist_queue(),
                                                      bus::Priority::kAnswers, std::move(handler)));
  };
  answer(bus::subject::rpc_account(), [this, parts](const bus::Incoming& message) {
    if (const auto call = ClientCall::parse(parts, message)) accounts_.handle(call);
  });
  answer(bus::subject::rpc_read(), [this, parts](const bus::Incoming& message) {
    if (const auto call = ClientCall::parse(parts, message)) reads_.handle(call);
  });
  answer(bus::subject::rpc_shard(),
         [this](const bus::Incoming& message) { shard_desk_.handle(message); });
  answer(bus::subject::rpc_groups(),
         [this](const bus::Incoming& message) { groups_.handle(message); });
  answer(bus::subject::rpc_admin(),
         [this](const bus::Incoming& message) { admin_.handle_act(message); });
  answer(bus::subject::rpc_audit(),
         [this](const bus::Incoming& message) { admin_.handle_audit(message); });
  answer(bus::subject::rpc_trace(),
         [this](const bus::Incoming& message) { trace_.handle(message); });
  answer(bus::subject::rpc_cold(), [this](const bus::Incoming& message) { cold_.handle(message); });
  announcements_ =
      backends_.bus->subscribe(bus::subject::all_watermarks(), "", bus::Priority::kDroppable,
                               [this](const bus::Incoming& message) { on_watermark(message); });
}

Result<void> Persist::ready() const {
  if (!backends_.bus->is_connected()) return fail(ErrorCode::kUnavailable, "no broker");
  if (loop_.now() - table_seen_at_ > kTableStale)
    return fail(ErrorCode::kUnavailable, "the database does not answer");
  return {};
}

// ---- shards

void Persist::on_acquired(ShardId shard, Epoch, const bus::ShardRecord&) {
  metrics_.lease(metrics::LeaseChange::kAcquired);
  // One that we had is taken anew; its follower, and a stop that waits for it, ends here.
  remove(shard);
  if (stopping_) {
    backends_.leases->give_back(shard);
    return stop_leases_when_all_are_gone();
  }
  auto follower = std::make_unique<Follower>(
      Follower::Parts{loop_, *backends_.store, *backends_.log, watermarks_, metrics_, random_,
                      options_.keep, [this](ShardId stored) { announce(stored); }},
      shard);
  follower->start();
  followers_[shard] = std::move(follower);
}

void Persist::on_release_wanted(ShardId shard) {
  metrics_.lease(metrics::LeaseChange::kGivenBack);
  followers_.contains(shard) ? let_go(shard) : backends_.leases->give_back(shard);
}

void Persist::on_lost(ShardId shard) {
  metrics_.lease(metrics::LeaseChange::kLost);
  remove(shard);
  stop_leases_when_all_are_gone();
}

void Persist::let_go(ShardId shard) {
  followers_.at(shard)->release([this, shard] {
    remove(shard);
    // When the whole process stops, the leases give everything back at once.
    if (!stopping_) return backends_.leases->give_back(shard);
    stop_leases_when_all_are_gone();
  });
}

// The follower may be the caller of this: it ends with the turn.
void Persist::remove(ShardId shard) {
  const auto found = followers_.find(shard);
  if (found == followers_.end()) return;
  metrics_.shard_watermark(shard, LogPosition(0));
  loop_.defer_delete(std::move(found->second));
  followers_.erase(found);
}

// ---- watermarks

void Persist::announce(ShardId shard) {
  const store::ShardState& state = watermarks_.at(shard);
  backends_.bus->publish(
      bus::subject::watermark(shard),
      wire::encode(wire::Watermark{shard, state.generation, state.base, state.watermark}));
}

void Persist::on_watermark(const bus::Incoming& message) {
  const auto heard = wire::parse_watermark(message.payload);
  if (!heard) return metrics_.malformed();
  learn(heard->shard, {heard->position, heard->base, heard->generation});
}

void Persist::learn(ShardId shard, const store::ShardState& state) {
  if (!watermarks_.learn(shard, state)) return;
  const auto follower = followers_.find(shard);
  if (follower == followers_.end()) return;
  // Somebody else found that our log lost its tail.
  follower->second->row_seen(state, LogPosition(0), loop_.now());
}

void Persist::on_second() {
  for (const auto& [shard, follower] : followers_) {
    if (is_planted(Planted::kWatermarkOnce)) break;
    if (follower->core().is_following()) announce(shard);
  }
  accounts_.look_at_keys();
  if (loading_) return;
  loading_ = true;
  std::map<ShardId, Before> before;
  for (const auto& [shard, follower] : followers_) {
    before[shard] = {follower->core().state().watermark, follower->take_log()};
  }
  backends_.store->load_shards(
      [self = self_, before = std::move(before)](const Result<store::ShardStates>& states) {
        Persist* here = *self;
        if (here == nullptr) return;
        here->loading_ = false;
        if (states) return here->table_seen(*states, before);
        if (here->table_seen_at_ == MonotonicTime{}) here->started(tl::unexpected(states.error()));
      });
}

void Persist::table_seen(const store::ShardStates& states,
                         const std::map<ShardId, Before>& before) {
  const bool first = table_seen_at_ == MonotonicTime{};
  table_seen_at_ = loop_.now();
  for (std::uint16_t i = 0; i < states.size() && i < watermarks_.shards(); ++i) {
    const ShardId shard(i);
    watermarks_.learn(shard, states[i]);
    const auto follower = followers_.find(shard);
    const auto known = before.find(shard);
    if (follower == followers_.end() || known == before.end()) continue;
    follower->second->row_seen(states[i], known->second.watermark, table_seen_at_);
    if (known->second.log) follower->second->purge(states[i], *known->second.log, table_seen_at_);
  }
  if (first) check_cluster();
}

// ---- time

void Persist::on_tick() {
  const MonotonicTime now = loop_.now();
  for (const auto& [shard, follower] : followers_) follower->tick(now);
  barrier_.tick(now);
  hashes_.tick();
  cold_.tick(now);
  std::size_t following = 0;
  std::size_t stuck = 0;
  for (const auto& [shard, follower] : followers_) {
    following += follower->core().is_following() ? 1 : 0;
    if (follower->core().is_following()) {
      metrics_.shard_watermark(shard, follower->core().state().watermark);
    }
    stuck += follower->core().is_stuck() ? 1 : 0;
  }
  metrics_.shards_followed(following);
  metrics_.shards_stuck(stuck);
  metrics_.waiting(barrier_.waiting());
  metrics_.cold_waiting(cold_.open());
  metrics_.database_waiting(backends_.store->waiting());
  metrics_.open_requests(open_.count + cold_.open() + shard_desk_.open());
  if (on_stopped_) finish_stop();
}

// At once for who comes first, together for those who come meanwhile.
void Persist::look_up_soon() {
  if (look_up_.is_scheduled()) return;
  if (const auto wait = barrier_.look_up_in(loop_.now())) look_up_.start_once(*wait);
}

void Persist::look_up_ends() {
  backends_.log->infos(barrier_.look_up_started(loop_.now()), kInfoTimeout,
                       [self = self_](const Result<bus::LogInfos>& infos) {
                         if (*self != nullptr) (*self)->ends_seen(infos);
                       });
}

// A base is raised before anything is appended above it; so the rows are read after the ends. By
// a base that another persist raised meanwhile the end would be below what is stored long ago.
void Persist::ends_seen(const Result<bus::LogInfos>& infos) {
  if (!infos) return look_up_done(infos);
  backends_.store->load_shards([self = self_, infos](const Result<store::ShardStates>& states) {
    Persist* here = *self;
    if (here == nullptr) return;
    if (!states) return here->look_up_done(tl::unexpected(states.error()));
    for (std::uint16_t i = 0; i < states->size(); ++i) here->learn(ShardId(i), (*states)[i]);
    here->look_up_done(infos);
  });
}

void Persist::look_up_done(const Result<bus::LogInfos>& infos) {
  barrier_.look_up_done(infos, loop_.now());
  look_up_soon();
}

// What others delete meanwhile is passed over.
void Persist::forget_old() {
  const WallMs now = loop_.wall_ms();
  backends_.store->forget_tokens(now, [self = self_](const Result<std::size_t>& done) {
    if (*self != nullptr && done) (*self)->metrics_.tokens_forgotten(*done);
  });
  const auto keep = to_ms<WallMs>(options_.audit_keep);
  backends_.store->forget_audit(now - std::min(now, keep), [](const Result<std::size_t>&) {});
}

void Persist::look_at_logs() {
  backends_.log->infos({}, kInfoTimeout, [self = self_](const Result<bus::LogInfos>& infos) {
    if (*self != nullptr && infos) (*self)->logs_seen(infos->found);
  });
}

void Persist::logs_seen(const std::vector<bus::LogInfo>& infos) {
  std::uint64_t lag = 0;
  for (const bus::LogInfo& info : infos) {
    if (info.shard.value() >= watermarks_.shards()) continue;
    const store::ShardState& state = watermarks_.at(info.shard);
    const std::uint64_t end = state.base + info.last.value();
    const std::uint64_t behind = end > state.watermark.value() ? end - state.watermark.value() : 0;
    metrics_.shard_lag(info.shard, behind);
    lag += behind;
    const auto follower = followers_.find(info.shard);
    if (follower != followers_.end()) follower->second->log_seen(info);
  }
  metrics_.lag(lag);
}

// ---- the end

// New requests go to other persists from now on; what is under way is finished.
void Persist::stop_phase_one(Done on_done) {
  subscriptions_.clear();
  on_stopped_ = std::move(on_done);
  if (!tick_.is_scheduled()) {
    leases_stopped_ = true;
    return finish_stop();
  }
  stopping_ = true;
  std::vector<ShardId> followed;
  for (const auto& [shard, follower] : followers_) followed.push_back(shard);
  for (const ShardId shard : followed) let_go(shard);
  stop_leases_when_all_are_gone();
}

void Persist::stop_leases_when_all_are_gone() {
  if (!stopping_ || !followers_.empty() || std::exchange(leases_stopping_, true)) return;
  backends_.leases->stop([self = self_] {
    if (*self != nullptr) (*self)->leases_stopped_ = true;
  });
}

void Persist::finish_stop() {
  const bool idle = open_.count == 0 && cold_.open() == 0 && shard_desk_.open() == 0;
  if (!leases_stopped_ || !idle) return;
  std::exchange(on_stopped_, nullptr)();
}

void Persist::stop_phase_two(Done on_done) {
  tick_.cancel();
  look_up_.cancel();
  second_.cancel();
  purge_.cancel();
  forget_.cancel();
  announcements_.reset();
  followers_.clear();
  on_done();
}

}  // namespace martlet::persist
