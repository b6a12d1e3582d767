#include "lease_bench.h"

#include <algorithm>

namespace martlet::bus {
namespace {

using namespace lease_action;
using std::chrono::milliseconds;

constexpr Duration kStep = milliseconds(10);
constexpr Duration kTick = milliseconds(100);
constexpr Duration kTimeout = std::chrono::seconds(2);
const std::string kKind = "dispatch";

}  // namespace

LeaseBench::Member& LeaseBench::add(const std::string& name) {
  Member& member = members_.emplace_back();
  member.name = name;
  member.core = std::make_unique<LeaseCore>(name, shards_, random_);
  member.next_tick = now_ + milliseconds(random_.below(100));
  return member;
}

void LeaseBench::at(MonotonicTime time, std::function<void()> task) {
  tasks_.emplace(time, std::move(task));
}

void LeaseBench::wake(Member& member) {
  member.paused = false;
  // What the system kept for the process; first its timer, as it may happen.
  member.core->tick(now_);
  act(member);
  for (auto& task : std::exchange(member.missed, {})) task();
}

void LeaseBench::run(Duration duration) {
  const MonotonicTime end = now_ + duration;
  while (now_ < end) step();
}

bool LeaseBench::run_until(const std::function<bool()>& condition, Duration limit) {
  const MonotonicTime end = now_ + limit;
  while (!condition()) {
    if (now_ >= end) return false;
    step();
  }
  return true;
}

void LeaseBench::step() {
  now_ += kStep;
  while (!tasks_.empty() && tasks_.begin()->first <= now_) {
    const auto task = std::move(tasks_.begin()->second);
    tasks_.erase(tasks_.begin());
    task();
  }
  for (Member& member : members_) {
    if (!member.alive || member.paused || now_ < member.next_tick) continue;
    member.next_tick = now_ + kTick;
    member.core->tick(now_);
    act(member);
  }
}

void LeaseBench::act(Member& member) {
  for (auto actions = member.core->take_actions(); !actions.empty();
       actions = member.core->take_actions()) {
    for (const LeaseAction& action : actions) run_action(member, action);
  }
}

// Runs when the member does: a paused one gets it when it wakes.
void LeaseBench::deliver(Member& member, std::function<void()> answer) {
  if (!member.alive) return;
  auto run = [this, &member, answer = std::move(answer)] {
    answer();
    act(member);
  };
  if (member.paused) {
    member.missed.push_back(run);
  } else {
    run();
  }
}

// A request that is cut off fails after its time-out.
void LeaseBench::request(Member& member, std::function<std::function<void()>()> at_server,
                         std::function<void()> on_failure) {
  at(now_ + delay(), [this, &member, at_server, on_failure] {
    if (member.cut_off) {
      return at(now_ + kTimeout, [this, &member, on_failure] { deliver(member, on_failure); });
    }
    const std::function<void()> answer = at_server();
    at(now_ + delay(), [this, &member, answer, on_failure] {
      if (!member.cut_off) return deliver(member, answer);
      at(now_ + kTimeout, [this, &member, on_failure] { deliver(member, on_failure); });
    });
  });
}

Result<std::uint64_t> LeaseBench::write(const std::string& key, const Bytes& value,
                                        std::optional<std::uint64_t> expected) {
  const auto found = entries_.find(key);
  const std::uint64_t present = found == entries_.end() ? 0 : found->second.revision;
  // Everybody hears what is written, accepted or not.
  for (Member& other : members_) {
    at(now_ + delay(), [this, &other, key, value] {
      if (other.cut_off) return;
      deliver(other, [&other, key, value] {
        if (const auto member = member_of_beat_key(kKind, key)) {
          other.core->on_beat_heard(*member, value);
        } else if (const auto shard = shard_of_key(kKind, key)) {
          other.core->on_record_heard(*shard);
        }
      });
    });
  }
  if (expected && *expected != present) return fail(ErrorCode::kConflict);
  entries_[key] = {key, value, ++revision_};
  return revision_;
}

Result<std::optional<KvEntry>> LeaseBench::read(const std::string& key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::optional<KvEntry>();
  return std::optional(found->second);
}

void LeaseBench::run_action(Member& member, const LeaseAction& action) {
  LeaseCore& core = *member.core;
  if (const auto* beat = std::get_if<WriteBeat>(&action)) {
    request(
        member,
        [this, &core, key = beat_key(kKind, member.name), value = beat->value, sent = now_] {
          write(key, value, std::nullopt).value();
          return [&core, sent] { core.on_beat_written(sent, true); };
        },
        [&core, sent = now_] { core.on_beat_written(sent, false); });
  } else if (const auto* read_beat = std::get_if<ReadBeat>(&action)) {
    request(
        member,
        [this, &core, name = read_beat->member] {
          return [&core, name, got = read(beat_key(kKind, name))] { core.on_beat_read(name, got); };
        },
        [&core, name = read_beat->member] { core.on_beat_read(name, fail(ErrorCode::kTimeout)); });
  } else if (const auto* read_record = std::get_if<ReadRecord>(&action)) {
    request(
        member,
        [this, &core, shard = read_record->shard] {
          return [&core, shard, got = read(shard_key(kKind, shard))] {
            core.on_record_read(shard, got);
          };
        },
        [&core, shard = read_record->shard] {
          core.on_record_read(shard, fail(ErrorCode::kTimeout));
        });
  } else if (const auto* record = std::get_if<WriteRecord>(&action)) {
    ++record_writes_;
    request(
        member,
        [this, &core, r = *record] {
          const auto done = write(shard_key(kKind, r.shard), encode_record(r.record), r.expected);
          return [&core, shard = r.shard, done] { core.on_record_written(shard, done); };
        },
        [&core, shard = record->shard] {
          core.on_record_written(shard, fail(ErrorCode::kTimeout));
        });
  } else if (const auto* acquired = std::get_if<Acquired>(&action)) {
    ++member.acquired;
    member.owned[acquired->shard.value()] = {acquired->epoch, acquired->previous.published,
                                             acquired->previous.reached};
  } else if (const auto* release = std::get_if<ReleaseWanted>(&action)) {
    ++member.releases;
    if (member.gives_back_late) return;
    member.owned.erase(release->shard.value());
    core.give_back(release->shard);
  } else if (const auto* lost = std::get_if<Lost>(&action)) {
    ++member.lost;
    member.owned.erase(lost->shard.value());
  }
}

std::optional<ShardRecord> LeaseBench::record(std::uint16_t shard) const {
  const auto found = entries_.find(shard_key(kKind, ShardId(shard)));
  if (found == entries_.end()) return std::nullopt;
  return decode_record(found->second.value, found->second.revision);
}

LeaseBench::Member* LeaseBench::owner_of(std::uint16_t shard) {
  const auto found = record(shard);
  if (!found) return nullptr;
  for (Member& member : members_) {
    if (member.name == found->owner) return &member;
  }
  return nullptr;
}

std::map<std::string, int> LeaseBench::shares() const {
  std::map<std::string, int> result;
  for (const Member& member : members_) {
    if (member.alive) result[member.name] = 0;
  }
  for (std::uint16_t n = 0; n < shards_; ++n) {
    const auto found = record(n);
    if (found && !found->owner.empty()) ++result[found->owner];
  }
  return result;
}

bool LeaseBench::is_settled() const {
  std::size_t believed = 0;
  for (const Member& member : members_) {
    if (!member.alive) continue;
    for (const auto& [shard, owned] : member.owned) {
      const auto found = record(shard);
      if (!found || found->owner != member.name || found->epoch != owned.epoch) return false;
      ++believed;
    }
  }
  return believed == shards_;
}

bool LeaseBench::is_even() const {
  if (!is_settled()) return false;
  int least = shards_;
  int most = 0;
  for (const auto& [name, count] : shares()) {
    least = std::min(least, count);
    most = std::max(most, count);
  }
  return most - least <= 1;
}

}  // namespace martlet::bus
