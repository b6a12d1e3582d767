#include "persist/barrier.h"

#include <algorithm>
#include <set>

namespace martlet::persist {

bool Barrier::add(std::vector<ShardId> shards, MonotonicTime now, Release release) {
  if (waiters_.size() >= limits_.max_waiting) return false;
  waiters_.push_back(
      {std::move(shards), now + limits_.max_wait, Phase::kNew, {}, std::move(release)});
  if (on_add_) on_add_();
  return true;
}

std::optional<Duration> Barrier::look_up_in(MonotonicTime now) const {
  // Those that wait for a look-up are the last ones.
  const bool is_wanted = !waiters_.empty() && waiters_.back().phase == Phase::kNew;
  if (looking_up_ || !is_wanted) return std::nullopt;
  const Duration pause = std::min(2 * look_up_took_, limits_.look_up_period);
  return std::max(last_look_up_ + pause - now, Duration(0));
}

std::vector<ShardId> Barrier::look_up_started(MonotonicTime now) {
  looking_up_ = true;
  last_look_up_ = now;
  std::set<ShardId> wanted;
  bool all = false;
  for (auto waiter = waiters_.rbegin(); waiter != waiters_.rend(); ++waiter) {
    if (waiter->phase != Phase::kNew) break;
    waiter->phase = Phase::kAsked;
    all = all || waiter->shards.empty();
    wanted.insert(waiter->shards.begin(), waiter->shards.end());
  }
  if (all) return {};
  return {wanted.begin(), wanted.end()};
}

void Barrier::look_up_done(const Result<bus::LogInfos>& infos, MonotonicTime now) {
  looking_up_ = false;
  look_up_took_ = now - last_look_up_;
  if (!infos) {
    release_if([](const Waiter& waiter) { return waiter.phase == Phase::kAsked; }, true);
    return;
  }
  const Ends ends = ends_of(*infos);
  release_if(
      [&](Waiter& waiter) { return waiter.phase == Phase::kAsked && !set_targets(waiter, ends); },
      true);
  watermarks_changed();
}

// A log that no answer names is empty if nothing was ever stored from it: it will be made with its
// first owner. Otherwise the servers that have it did not answer, also if they do not say so.
Barrier::Ends Barrier::ends_of(const bus::LogInfos& infos) const {
  Ends ends(watermarks_.shards());
  for (std::uint16_t i = 0; i < ends.size(); ++i) {
    if (watermarks_.at(ShardId(i)).watermark == LogPosition()) ends[i] = LogPosition();
  }
  for (const ShardId shard : infos.silent) {
    if (shard.value() < ends.size()) ends[shard.value()].reset();
  }
  for (const bus::LogInfo& info : infos.found) {
    if (info.shard.value() >= ends.size()) continue;
    ends[info.shard.value()] = LogPosition(watermarks_.at(info.shard).base + info.last.value());
  }
  return ends;
}

// False: the end of a log that matters is not known.
bool Barrier::set_targets(Waiter& waiter, const Ends& ends) const {
  waiter.phase = Phase::kKnown;
  std::vector<ShardId> shards = waiter.shards;
  if (shards.empty()) {
    for (std::uint16_t i = 0; i < ends.size(); ++i) shards.emplace_back(i);
  }
  for (const ShardId shard : shards) {
    const auto& end = ends.at(shard.value());
    if (!end) return false;
    waiter.targets.emplace_back(shard, *end);
  }
  return true;
}

bool Barrier::is_satisfied(Waiter& waiter) const {
  std::erase_if(waiter.targets, [&](const auto& target) {
    return watermarks_.at(target.first).watermark >= target.second;
  });
  return waiter.targets.empty();
}

void Barrier::watermarks_changed() {
  release_if(
      [this](Waiter& waiter) { return waiter.phase == Phase::kKnown && is_satisfied(waiter); },
      false);
}

void Barrier::tick(MonotonicTime now) {
  release_if([now](const Waiter& waiter) { return now >= waiter.until; }, true);
}

// The callbacks may add waiters.
void Barrier::release_if(const std::function<bool(Waiter&)>& condition, bool behind) {
  std::list<Waiter> released;
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    const auto here = waiter++;
    if (condition(*here)) released.splice(released.end(), waiters_, here);
  }
  for (const Waiter& waiter : released) waiter.release(behind);
}

}  // namespace martlet::persist
