#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "bus/kv.h"
#include "bus/lease_members.h"
#include "bus/leases.h"

namespace martlet::bus {

// What the core wants done; the shell does it and reports back.
namespace lease_action {
struct WriteBeat {
  Bytes value;  // empty: gone
};
struct ReadBeat {
  std::string member;
};
struct ReadRecord {
  ShardId shard;
};
struct WriteRecord {
  ShardId shard;
  ShardRecord record;
  std::uint64_t expected = 0;
};
// For the listener, in this order.
struct Acquired {
  ShardId shard;
  Epoch epoch;
  ShardRecord previous;
};
struct ReleaseWanted {
  ShardId shard;
};
struct Lost {
  ShardId shard;
};
}  // namespace lease_action
using LeaseAction =
    std::variant<lease_action::WriteBeat, lease_action::ReadBeat, lease_action::ReadRecord,
                 lease_action::WriteRecord, lease_action::Acquired, lease_action::ReleaseWanted,
                 lease_action::Lost>;

// Decides about leases; no I/O, no clock (interface and rules: bus/leases.h). Every Read and Write
// that it asks for is answered by exactly one call here, in any order.
class LeaseCore {
 public:
  LeaseCore(std::string self, std::uint16_t shards, Random& random);

  // Ten times a second. The first call starts.
  void tick(MonotonicTime now);
  std::vector<LeaseAction> take_actions();

  // Answers. A beat's write is told with the time when it was asked for.
  void on_beat_written(MonotonicTime sent, bool done);
  void on_beat_read(const std::string& member, const Result<std::optional<KvEntry>>& got);
  void on_record_read(ShardId shard, const Result<std::optional<KvEntry>>& got);
  void on_record_written(ShardId shard, const Result<std::uint64_t>& revision);
  // Heard, not asked for.
  void on_beat_heard(const std::string& member, BytesView value);
  void on_record_heard(ShardId shard);

  // See Leases.
  void give_back(ShardId shard);
  void doubt(ShardId shard);
  void note_published(ShardId shard, LogPosition position);
  void note_reached(ShardId shard, LogPosition position);
  void stop();
  bool is_stopped() const;  // everything is given back
  Duration renewal_age(MonotonicTime now) const;

  bool owns(ShardId shard) const;

 private:
  enum class State {
    kOther,      // not ours
    kClaiming,   // our write is under way
    kOurs,       //
    kReleasing,  // the listener was asked to give it back
    kDoubted,    // waits to read the record
    kGivingBack  // our write of "no owner" is under way or will be repeated
  };

  struct Shard {
    State state = State::kOther;
    bool known = false;  // the record was read, or written by us
    bool existed = false;
    ShardRecord record;
    std::uint64_t revision = 0;  // 0: there is no record
    ShardRecord previous;        // before the claim that is under way
    Epoch epoch;                 // ours
    LogPosition published;       // to be written
    LogPosition reached;         // the highest that was noted or read of anybody
    bool reading = false;
    bool writing = false;
    bool writes_no_owner = false;  // the write under way gives it back
    bool stale_read = false;       // the read under way began before a write: worthless
    bool reread = false;           // something was heard meanwhile
    MonotonicTime next_read;
    MonotonicTime next_publish;
    MonotonicTime retry_at;    // doubt, giving back
    MonotonicTime free_since;  // far in the future: not free
    int doubts = 0;
    MonotonicTime last_doubt;
  };

  Shard& at(ShardId shard) { return shards_[shard.value()]; }
  void beat();
  void read_records();
  void read(ShardId id, Shard& shard);
  void write(ShardId id, Shard& shard, ShardRecord record);
  void claim(ShardId id, Shard& shard);
  void lose(ShardId id, Shard& shard);
  void judge(ShardId id, Shard& shard);
  void judge_ours(ShardId id, Shard& shard);
  void on_written(ShardId id, Shard& shard, bool gave_back);
  void write_no_owner(ShardId id, Shard& shard);
  void run_timers(ShardId id, Shard& shard);
  void note_free(Shard& shard);
  void spread();
  void claim_free(const std::vector<std::string>& living, const std::vector<std::size_t>& counts);
  void release_one(const std::vector<std::string>& living, const std::vector<std::size_t>& counts);
  std::size_t held() const;

  const std::string self_;
  Random& random_;
  LeaseMembers members_;
  std::vector<Shard> shards_;
  std::vector<LeaseAction> actions_;
  MonotonicTime now_;
  bool started_ = false;
  bool stopping_ = false;
  std::uint64_t beats_ = 0;
  std::string beat_prefix_;  // two lives of a member must not beat alike
  MonotonicTime next_beat_;
  MonotonicTime may_claim_at_;
  MonotonicTime next_move_;
  std::optional<MonotonicTime> renewed_;
};

}  // namespace martlet::bus
