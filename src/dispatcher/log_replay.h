#pragma once

#include <cstddef>
#include <deque>
#include <unordered_set>

#include "base/result.h"
#include "bus/log.h"
#include "dispatcher/shard_core.h"
#include "dispatcher/types.h"

namespace martlet::dispatcher {

// Where a shard stands when its log is read.
struct ReplayStart {
  ShardId shard;
  Generation generation;
  std::uint64_t base = 0;
  LogPosition watermark;
  LogPosition published;   // entries above were perhaps not seen live by anybody
  bus::LogSequence first;  // of the log
  Moment moment;
};

// Rebuilds what a shard must remember by reading its log from the first entry on.
//
// A log that lost its tail was continued in a new generation; what it has from older generations is
// true but not complete, so it says nothing of last numbers: only entries of the present generation
// and those that the database does not have yet are taken.
//
// An entry of a group can only be published live again if the log tells which change of members
// came before it. Pure, loop thread.
class LogReplay {
 public:
  LogReplay(const ReplayStart& start, const ShardLimits& limits, DispatcherMetrics& metrics);

  // The next record. kBadBody: the log cannot be read.
  Result<void> add(const bus::LogRecord& record);

  bus::LogSequence next() const { return next_; }
  MessageId last_message_id() const { return last_message_id_; }

  // Once, after the last record.
  void finish();
  Heads take_heads() { return std::move(heads_); }
  Window take_window() { return std::move(window_); }
  // Entries to publish live again, in order: the newest ones only.
  std::deque<LiveEntry> take_live() { return std::move(live_); }
  // Conversations with other entries that were perhaps missed, for hints.
  std::unordered_set<ConversationId> take_missed() { return std::move(missed_); }

 private:
  Result<void> add(wire::Entry entry, LogPosition position, bool is_trusted);
  void remember(const wire::Entry& entry, LogPosition position);
  Head& add_ordered(const wire::Entry& entry, LogPosition position);
  Result<bool> look_at_members(LiveEntry& live, Head* head);
  void keep_live(LiveEntry live);
  void note_missed(const LiveEntry& live);
  MonotonicTime leaves_window(const wire::Entry& entry) const;

  const ReplayStart start_;
  const ShardLimits limits_;
  DispatcherMetrics& metrics_;
  bus::LogSequence next_;
  MessageId last_message_id_;
  // True while what came before the next trusted entry may be missing in the window.
  bool is_gap_before_;
  Heads heads_;
  Window window_;
  std::deque<LiveEntry> live_;
  std::size_t live_bytes_ = 0;
  std::unordered_set<ConversationId> missed_;
};

}  // namespace martlet::dispatcher
