#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "bus/log.h"
#include "dispatcher/log_replay.h"
#include "dispatcher/moment.h"
#include "dispatcher/shard_core.h"
#include "wire/rpc.h"

namespace martlet::dispatcher {

// What the take-over wants done next. Exactly one step is under way; its answer is the input of the
// same name.
struct TakeOverStep {
  enum class Kind {
    kWait,         // nothing; tick() goes on
    kEnsure,       // the shard's log exists
    kAskShard,     // im.rpc.shard, with what is known
    kSubscribe,    // to the shard's frames, until the broker has seen it; buffer them from now on
    kInfo,         // where the log ends
    kRead,         // the log's next records; from `from` with a new reader if is_new_reader
    kAppendOwner,  // batch, expected_last
    kDone,         // result() is there
    kGiveUp,       // read the lease again
  };
  Kind kind = Kind::kWait;
  Bytes batch;
  bus::LogSequence expected_last;
  bus::LogSequence from;
  LogPosition known;  // kAskShard: this was in the log
  bool is_new_reader = false;
};

// A shard that is ours, and what its users perhaps missed.
struct TakenOver {
  ShardStart start;
  std::deque<LiveEntry> live;                 // to publish again, before anything new
  std::unordered_set<ConversationId> missed;  // too much for that: hints
};

// Taking over a shard whose lease is ours, step by step (design: "Owning a shard"). The OWNER entry
// is appended before the log is read: once it is accepted nothing older can land behind it, so what
// is read up to it is everything there is. Only the log's last record is read before, since OWNER
// continues its epoch and its message ids. Pure, loop thread.
class TakeOverCore {
 public:
  struct Given {
    ShardId shard;
    Epoch epoch;                // revision of the lease
    LogPosition published;      // of the record before
    LogPosition reached;        // the same; no less than was acknowledged to this process
    MessageId last_message_id;  // as far as this process knows
  };
  TakeOverCore(const Given& given, const ShardLimits& limits, DispatcherMetrics& metrics);

  // The step to take now; each is handed out once.
  TakeOverStep next_step();

  void ensured(const Result<void>& result, const Moment& moment);
  void shard_answer(const Result<wire::ShardAnswer>& answer, const Moment& moment);
  void subscribed(const Result<void>& result, const Moment& moment);
  void info(const Result<bus::LogInfo>& info, const Moment& moment);
  void owner_appended(tl::expected<bus::LogSequence, bus::AppendError> result,
                      const Moment& moment);
  void records(const Result<std::vector<bus::LogRecord>>& records, const Moment& moment);
  void tick(const Moment& moment);

  // Once, after kDone.
  TakenOver take_result();
  const std::string& give_up_reason() const { return reason_; }

 private:
  using Kind = TakeOverStep::Kind;
  void go(Kind kind);
  void try_again(Kind kind, std::string reason, const Moment& moment);
  void give_up(std::string reason);
  void read_from(bus::LogSequence from);
  void look_at_last(const std::vector<bus::LogRecord>& records, const Moment& moment);
  void append_owner(const Moment& moment);
  void start_replay(const Moment& moment);
  LogPosition known() const;
  void replay(const std::vector<bus::LogRecord>& records, const Moment& moment);

  const Given given_;
  const ShardLimits limits_;
  DispatcherMetrics& metrics_;

  TakeOverStep step_;
  bool is_handed_out_ = false;
  std::optional<Kind> retry_;
  MonotonicTime retry_at_;
  int tries_ = 0;
  std::string reason_;

  Epoch epoch_;
  MessageId last_message_id_;
  wire::ShardAnswer stand_;
  bus::LogInfo log_;
  bool is_subscribed_ = false;
  bus::LogSequence owner_;  // our OWNER entry; 0: none yet
  std::unique_ptr<LogReplay> replay_;
};

}  // namespace martlet::dispatcher
