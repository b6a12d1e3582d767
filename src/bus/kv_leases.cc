#include "bus/kv_leases.h"

#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "bus/lease_record.h"

namespace martlet::bus {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(100);
constexpr Duration kLongestStop = std::chrono::seconds(1);

}  // namespace

KvLeases::KvLeases(event::Loop& loop, Kv& kv, Random& random, LeaseOptions options)
    : loop_(loop),
      kv_(kv),
      options_(std::move(options)),
      core_(options_.member, options_.shards, random),
      ticker_(loop, [this] { on_tick(); }) {}

void KvLeases::start(LeaseListener& listener) {
  MARTLET_ASSERT(listener_ == nullptr);
  listener_ = &listener;
  kv_.on_write([this, alive = std::weak_ptr(alive_)](std::string_view key, BytesView value) {
    if (!alive.expired()) on_heard(key, value);
  });
  ticker_.start_every(kTick);
}

void KvLeases::stop(std::function<void()> on_done) {
  on_stopped_ = std::move(on_done);
  stop_at_ = loop_.now() + kLongestStop;
  listener_ = nullptr;
  core_.stop();
  ticker_.start_every(kTick);
  run_actions();
}

void KvLeases::give_back(ShardId shard) {
  core_.give_back(shard);
  run_actions();
}

void KvLeases::doubt(ShardId shard) {
  core_.doubt(shard);
  run_actions();
}

void KvLeases::note_published(ShardId shard, LogPosition position) {
  core_.note_published(shard, position);
}

void KvLeases::note_reached(ShardId shard, LogPosition position) {
  core_.note_reached(shard, position);
}

Duration KvLeases::renewal_age() const {
  return core_.renewal_age(loop_.now());
}

void KvLeases::on_tick() {
  core_.tick(loop_.now());
  run_actions();
  if (!on_stopped_ || (!core_.is_stopped() && loop_.now() < stop_at_)) return;
  ticker_.cancel();
  if (!core_.is_stopped()) MARTLET_LOG(warn, "leases_not_given_back kind={}", options_.kind);
  std::exchange(on_stopped_, nullptr)();
}

// The listener may call back into us, and a bucket may answer at once.
void KvLeases::run_actions() {
  if (running_actions_) return;
  running_actions_ = true;
  for (auto actions = core_.take_actions(); !actions.empty(); actions = core_.take_actions()) {
    for (const LeaseAction& action : actions) {
      std::visit([this](const auto& one) { run(one); }, action);
    }
  }
  running_actions_ = false;
}

void KvLeases::on_heard(std::string_view key, BytesView value) {
  if (const auto member = member_of_beat_key(options_.kind, key)) {
    core_.on_beat_heard(*member, value);
  } else if (const auto shard = shard_of_key(options_.kind, key)) {
    core_.on_record_heard(*shard);
  }
  run_actions();
}

void KvLeases::run(const lease_action::WriteBeat& action) {
  const MonotonicTime sent = loop_.now();
  kv_.put(beat_key(options_.kind, options_.member), action.value,
          [this, sent, alive = std::weak_ptr(alive_)](Result<std::uint64_t> done) {
            if (!alive.expired()) core_.on_beat_written(sent, done.has_value());
          });
}

void KvLeases::run(const lease_action::ReadBeat& action) {
  kv_.get(beat_key(options_.kind, action.member),
          [this, member = action.member, alive = std::weak_ptr(alive_)](auto got) {
            if (!alive.expired()) core_.on_beat_read(member, got);
          });
}

void KvLeases::run(const lease_action::ReadRecord& action) {
  kv_.get(shard_key(options_.kind, action.shard),
          [this, shard = action.shard, alive = std::weak_ptr(alive_)](auto got) {
            if (alive.expired()) return;
            core_.on_record_read(shard, got);
            run_actions();
          });
}

void KvLeases::run(const lease_action::WriteRecord& action) {
  kv_.update(shard_key(options_.kind, action.shard), encode_record(action.record), action.expected,
             [this, shard = action.shard, alive = std::weak_ptr(alive_)](auto revision) {
               if (alive.expired()) return;
               core_.on_record_written(shard, revision);
               run_actions();
             });
}

void KvLeases::run(const lease_action::Acquired& action) {
  if (listener_ == nullptr) return;
  MARTLET_LOG(info, "lease_acquired kind={} shard={} epoch={}", options_.kind, action.shard.value(),
              action.epoch.value());
  listener_->on_acquired(action.shard, action.epoch, action.previous);
}

void KvLeases::run(const lease_action::ReleaseWanted& action) {
  if (listener_ != nullptr) listener_->on_release_wanted(action.shard);
}

void KvLeases::run(const lease_action::Lost& action) {
  if (listener_ == nullptr) return;
  MARTLET_LOG(info, "lease_lost kind={} shard={}", options_.kind, action.shard.value());
  listener_->on_lost(action.shard);
}

}  // namespace martlet::bus
