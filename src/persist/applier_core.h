#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "bus/log.h"
#include "store/types.h"

namespace martlet::persist {

// Where a shard stands: its row, and the log beside it. The row has been put right if the log had
// lost its tail.
struct Inspection {
  store::ShardState state;
  bus::LogInfo log;
};

// What an operator must hear of.
enum class Alarm {
  kGap,        // the log begins after what is stored: entries are lost to us
  kDuplicate,  // a seq was to be stored twice: a bug, the shard stands still
  kDead,       // entries were refused by the database and put aside
  kRefused,    // a batch is refused even entry by entry
};

// Decides how one shard's log gets into the store: what to fetch, what to apply, what to do when
// something fails. Pure: the shell carries its actions out and tells it what came of them. Each
// action has one result; a fetch and an apply may be under way at the same time, one of each.
class ApplierCore {
 public:
  // The row is this now; batches were applied (none after an inspection).
  struct Stored {
    store::ShardState state;
    std::size_t batches = 0;
    std::size_t messages = 0;
  };
  struct AlarmRaised {
    Alarm alarm;
    std::string detail;
  };
  // To be carried out in this order.
  struct Actions {
    std::vector<AlarmRaised> alarms;
    std::optional<Stored> stored;
    bool inspect = false;
    std::optional<bus::LogSequence> open_reader;  // replaces the one before
    bool fetch = false;
    std::optional<store::ApplyRequest> apply;
  };

  // random outlives it.
  ApplierCore(ShardId shard, Random& random) : shard_(shard), random_(random) {}

  Actions begin();
  Actions inspected(const Result<Inspection>& result, MonotonicTime now);
  Actions fetched(Result<std::vector<bus::LogRecord>> result, MonotonicTime now);
  Actions applied(const store::ApplyResult& result, MonotonicTime now);
  // The shard's row as somebody else saw it, at a time when our own watermark was `watermark_then`.
  // One that is not what we left there: start anew.
  Actions row_seen(const store::ShardState& row, LogPosition watermark_then, MonotonicTime now);
  Actions tick(MonotonicTime now);
  // Starts nothing any more.
  void release() { phase_ = Phase::kReleased; }

  bool is_applying() const { return applying_; }
  bool is_following() const { return phase_ == Phase::kFollowing; }
  // Stands still until somebody repairs it.
  bool is_stuck() const { return stuck_ || phase_ == Phase::kStopped; }
  const store::ShardState& state() const { return state_; }

 private:
  enum class Phase {
    kNew,
    kInspecting,
    kFollowing,
    kPaused,    // until not_before_, then an inspection
    kRetrying,  // until not_before_, then the same batches again
    kStopped,
    kReleased,
  };

  void after_apply(const store::ApplyResult& result, MonotonicTime now);
  void start_anew(MonotonicTime now);
  void pause(Phase phase, MonotonicTime now);
  void go_on();
  void committed(const store::ApplyResult& result);
  void raise(Alarm alarm, std::string detail);
  Actions take() { return std::exchange(actions_, {}); }

  const ShardId shard_;
  Random& random_;
  Phase phase_ = Phase::kNew;
  store::ShardState state_;
  bus::LogSequence next_;  // to be fetched
  bool fetching_ = false;
  bool applying_ = false;
  bool restart_wanted_ = false;  // when the apply under way has ended
  bool one_by_one_ = false;
  bool stuck_ = false;                      // a gap, or a batch that is refused even entry by entry
  std::size_t applied_batches_ = 0;         // of the apply under way
  std::deque<store::LoggedBatch> current_;  // being applied, from the watermark on
  std::deque<store::LoggedBatch> ready_;    // fetched ahead
  Duration backoff_{0};
  MonotonicTime not_before_{};
  Actions actions_;  // gathered during a call
};

}  // namespace martlet::persist
