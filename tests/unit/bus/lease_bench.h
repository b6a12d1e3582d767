#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "bus/lease_core.h"
#include "bus/lease_record.h"

namespace martlet::bus {

// A bucket and several members on a simulated clock, in steps of 10 ms. Every message takes some
// random milliseconds.
class LeaseBench {
 public:
  struct Owned {
    Epoch epoch;
    LogPosition previous_published;
    LogPosition previous_reached;
  };

  struct Member {
    std::string name;
    std::unique_ptr<LeaseCore> core;
    std::map<std::uint16_t, Owned> owned;  // as its listener believes
    bool alive = true;
    bool paused = false;
    bool cut_off = false;          // neither requests nor answers pass
    bool gives_back_late = false;  // the listener keeps what it was asked to release
    MonotonicTime next_tick;
    std::vector<std::function<void()>> missed;  // while paused
    int acquired = 0;
    int lost = 0;
    int releases = 0;
  };

  explicit LeaseBench(std::uint64_t seed, std::uint16_t shards = 16)
      : random_(seed), shards_(shards) {}

  Member& add(const std::string& name);
  void kill(Member& member) { member.alive = false; }
  void pause(Member& member) { member.paused = true; }
  void wake(Member& member);
  void wipe() { entries_.clear(), revision_ = 0; }
  void run(Duration duration);
  bool run_until(const std::function<bool()>& condition, Duration limit);

  // By the records: who owns how many.
  std::map<std::string, int> shares() const;
  // Every shard has an owner by the record, which believes so with the record's epoch.
  bool is_settled() const;
  bool is_even() const;
  std::optional<ShardRecord> record(std::uint16_t shard) const;
  Member* owner_of(std::uint16_t shard);
  MonotonicTime now() const { return now_; }
  std::map<std::string, KvEntry>& entries() { return entries_; }
  std::uint64_t writes_of_records() const { return record_writes_; }

 private:
  void step();
  void act(Member& member);
  void run_action(Member& member, const LeaseAction& action);
  void request(Member& member, std::function<std::function<void()>()> at_server,
               std::function<void()> on_failure);
  void deliver(Member& member, std::function<void()> answer);
  Result<std::uint64_t> write(const std::string& key, const Bytes& value,
                              std::optional<std::uint64_t> expected);
  Result<std::optional<KvEntry>> read(const std::string& key) const;
  void at(MonotonicTime time, std::function<void()> task);
  Duration delay() { return std::chrono::milliseconds(1 + random_.below(15)); }

  SeededRandom random_;
  std::uint16_t shards_;
  MonotonicTime now_{std::chrono::seconds(1000)};
  std::deque<Member> members_;
  std::map<std::string, KvEntry> entries_;
  std::uint64_t revision_ = 0;
  std::uint64_t record_writes_ = 0;
  std::multimap<MonotonicTime, std::function<void()>> tasks_;
};

}  // namespace martlet::bus
