#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bus/log.h"
#include "dispatcher/fanout_meter.h"
#include "dispatcher/heads.h"
#include "dispatcher/limits.h"
#include "dispatcher/metrics.h"
#include "dispatcher/moment.h"
#include "dispatcher/parking.h"
#include "dispatcher/refusals.h"
#include "dispatcher/stored_waits.h"
#include "dispatcher/trail.h"
#include "dispatcher/types.h"
#include "dispatcher/window.h"

namespace martlet::dispatcher {

// Bounds of one shard that an operator may change.
struct ShardLimits {
  std::size_t heads = kDefaultHeadsPerShard;
  std::size_t parked_frames = kDefaultParkedFrames;
  std::size_t queued_entries = kDefaultQueuedEntries;
  FanoutRates fanout;
  std::size_t stored_waits = kMaxStoredWaits;
  std::size_t owed_resyncs = kMaxOwedResyncs;
  Duration window_time = kWindowTime;
  std::uint64_t log_bytes = kDefaultLogBytes;
};

// A shard that was taken over, as the log and the database tell it.
struct ShardStart {
  ShardId shard;
  Epoch epoch;
  Generation generation;
  std::uint64_t base = 0;  // log position = base + sequence
  bus::LogSequence last;   // of our OWNER entry
  LogPosition watermark;
  MessageId last_message_id;
  std::uint64_t log_bytes = 0;  // size of the log
  Heads heads{kDefaultHeadsPerShard};
  Window window;
};

// An append under way. Not inside of ShardCore: there clang 14 can't put it into an optional.
struct BatchInFlight {
  wire::Batch batch;
  std::vector<std::unique_ptr<OpenEntry>> open;  // beside batch.entries
  std::size_t bytes = 0;
  MonotonicTime since;
};

// The sequencer of one shard while it is owned: judges frames, numbers messages, appends batches
// one after the other, then answers and fans out. No sockets, clocks or threads: each input comes
// with its moment, and afterwards the caller takes the actions.
//
// What it promises: nothing is answered as accepted and nothing is fanned out before it is in the
// log; an append without a clear result ends it (Actions::doubt) and is never answered; any answer
// without an append is given only while the lease is young, otherwise the frame stays unanswered
// and its edge repeats it.
class ShardCore {
 public:
  // hops: what outlives it, or null.
  ShardCore(ShardStart start, std::uint16_t shards, const ShardLimits& limits,
            DispatcherMetrics& metrics, wire::HopSink* hops = nullptr);

  // A frame from an edge; it is copied as far as needed.
  void frame(const wire::ClientFrame& frame, const Moment& moment);
  // The answer to Actions::append.
  void append_result(tl::expected<bus::LogSequence, bus::AppendError> result, const Moment& moment);
  // The answer to Actions::question.
  void cold_answer(const Result<wire::ColdAnswer>& answer, const Moment& moment);
  void watermark(const wire::Watermark& told);
  // The size of the log as the broker tells it: info_asked() when it is asked, info() with the
  // answer. What is appended between the two is counted on top.
  void info_asked() { appended_when_asked_ = appended_bytes_; }
  void info(std::uint64_t bytes);
  // Every 50 ms or so.
  void tick(const Moment& moment);

  Actions take_actions(const Moment& moment);

  // Takes no frames and starts no appends any more; what waits is repeated to the next owner.
  void let_go();
  bool is_appending() const { return in_flight_.has_value(); }
  bool is_full() const { return is_full_; }

  ShardId shard() const { return shard_; }
  Epoch epoch() const { return epoch_; }
  Generation generation() const { return generation_; }
  // Everything up to here was handed out in Actions::events.
  LogPosition fanned_out() const { return LogPosition(base_ + last_.value()); }
  MessageId last_message_id() const { return last_message_id_; }
  std::size_t heads() const { return heads_.size(); }
  std::size_t window() const { return window_.size(); }
  std::size_t parked() const { return parking_.frames(); }
  std::size_t queued() const { return queue_.size(); }
  std::size_t stored_waits() const { return stored_waits_.size(); }
  std::uint64_t log_bytes() const { return log_bytes_; }

 private:
  // Frames: shard_core.cc.
  void send(const wire::ClientFrame& frame, Asker asker, const Moment& moment);
  void arrive(SendFrame frame, const Moment& moment);
  void read(const wire::ClientFrame& frame, Asker asker, const Moment& moment);
  bool needs_lookup(const SendFrame& frame, const Moment& moment);
  void park(SendFrame frame, Needs needs, const Moment& moment);
  void judge(SendFrame frame, const Moment& moment);
  void answer_known(Window::Slot& slot, SendFrame& frame, const Moment& moment);
  void accept(SendFrame frame, const Moment& moment);
  ErrorCode why_not_queue(const OpenEntry& open);
  void enqueue(std::unique_ptr<OpenEntry> open);
  void plant_haste(const OpenEntry& open);
  static void plant_disorder(BatchInFlight& flight);
  void refuse(const SendFrame& frame, ErrorCode code, const Moment& moment);
  // retry_after zero: what is usual for the code.
  void refuse(const Asker& asker, const ClientMsgId& id, ErrorCode code, const Moment& moment,
              Duration retry_after = {});
  // For good, if the code says so: every copy of it finds the same.
  void remember_refusal(const ConversationId& conversation, const UserId& sender,
                        const ClientMsgId& id, const Refusals::Refusal& refusal,
                        const Moment& moment);
  void acknowledge(const Asker& asker, const ClientMsgId& id, const ConversationId& conversation,
                   const KnownMessage& message);

  // Appends and what follows them: shard_core_append.cc.
  void start_append(const Moment& moment);
  void appended(bus::LogSequence sequence, const Moment& moment);
  void settle(OpenEntry& open, wire::Entry entry, LogPosition position, const Moment& moment);
  void doubt(std::string reason);

  // Groups: shard_core_groups.cc.
  void change_group(const wire::ClientFrame& frame, Asker asker, const Moment& moment);
  void typing(const wire::ClientFrame& frame, const Asker& asker, const Moment& moment);
  void refuse_in_group(const GroupHead& group, const SendFrame& frame, ErrorCode code,
                       const Moment& moment);
  static ErrorCode why_not_in(const GroupHead& group, const SendFrame& frame);
  // Until the entry may go to so many; zero: it is paid for.
  Duration wait_of(const Head& head, const wire::Entry& entry, const Moment& moment);
  void apply_change(OpenEntry& open, GroupHead& group, const MembersChange& change);
  void change_logged(OpenEntry& open, const ConversationId& conversation, GroupHead& group,
                     const Moment& moment);

  // The database: shard_core_cold.cc.
  void asking(const wire::ColdQuestion& question, const Moment& moment);
  void mark_asked(const ConversationId& conversation, bool is_asked);
  bool is_usable(const Result<wire::ColdAnswer>& answer);
  void learn_head(const ConversationId& conversation, const wire::ConversationHead& told,
                  const Moment& moment);
  // Null: the database must be asked.
  Head* usable_head(const ConversationId& conversation);
  void judge_ready(const ConversationId& conversation, const Moment& moment);

  const ShardId shard_;
  const std::uint16_t shards_;
  const Epoch epoch_;
  const Generation generation_;
  const std::uint64_t base_;
  const ShardLimits limits_;
  DispatcherMetrics& metrics_;
  Trail trail_;

  bus::LogSequence last_;  // of the log, by our own appends
  LogPosition watermark_;
  MessageId last_message_id_;
  Heads heads_;
  Window window_;
  Refusals refusals_{kMaxRefusals};
  FanoutMeter fanout_;
  Parking parking_;
  StoredWaits stored_waits_;
  std::deque<std::unique_ptr<OpenEntry>> queue_;
  std::size_t queued_bytes_ = 0;  // with what is in flight
  std::optional<BatchInFlight> in_flight_;
  MonotonicTime ask_after_;
  MonotonicTime asked_;

  std::uint64_t log_bytes_;  // as the broker told it last, with what was appended since
  std::uint64_t appended_bytes_ = 0;
  std::uint64_t appended_when_asked_ = 0;
  bool is_full_ = false;

  bool is_letting_go_ = false;
  bool is_doubting_ = false;
  Actions actions_;
};

}  // namespace martlet::dispatcher
