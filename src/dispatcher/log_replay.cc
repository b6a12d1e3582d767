#include "dispatcher/log_replay.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "dispatcher/fanout.h"
#include "wire/members_change.h"

namespace martlet::dispatcher {

LogReplay::LogReplay(const ReplayStart& start, const ShardLimits& limits,
                     DispatcherMetrics& metrics)
    : start_(start),
      limits_(limits),
      metrics_(metrics),
      next_(start.first),
      is_gap_before_(start.first != bus::LogSequence(1) || start.base != 0),
      heads_(limits.heads) {}

Result<void> LogReplay::add(const bus::LogRecord& record) {
  MARTLET_ASSERT(record.sequence == next_);
  auto batch = wire::parse_batch(record.batch);
  if (!batch) return tl::unexpected<Error>(batch.error());
  next_ = next_.next();

  const LogPosition position(start_.base + record.sequence.value());
  const bool is_trusted = batch->generation == start_.generation || position > start_.watermark;
  if (!is_trusted) is_gap_before_ = true;
  for (wire::Entry& entry : batch->entries) {
    const auto added = add(std::move(entry), position, is_trusted);
    if (!added) return added;
  }
  heads_.forget_surplus(start_.watermark);
  return {};
}

Result<void> LogReplay::add(wire::Entry entry, LogPosition position, bool is_trusted) {
  last_message_id_ = std::max(last_message_id_, entry.message_id);
  if (is_trusted && is_gap_before_ && entry.time_ms != 0) {
    window_.raise_complete_since(entry.time_ms);
    is_gap_before_ = false;
  }
  if (entry.kind == wire::EntryKind::kOwner) return {};
  Head* head = nullptr;
  if (is_trusted && wire::is_ordered(entry.kind)) head = &add_ordered(entry, position);
  LiveEntry live{position, std::move(entry), {}};
  const auto is_complete = look_at_members(live, head);
  if (!is_complete) return tl::unexpected<Error>(is_complete.error());
  if (position <= start_.published) return {};
  if (!*is_complete) {
    note_missed(live);
  } else {
    keep_live(std::move(live));
  }
  return {};
}

// What is the change of members, and which one was before it? False: the log does not tell.
Result<bool> LogReplay::look_at_members(LiveEntry& live, Head* head) {
  const wire::Entry& entry = live.entry;
  if (!entry.conversation.is_group() || !wire::is_ordered(entry.kind)) return true;
  GroupHead* group = head == nullptr ? nullptr : head->group.get();
  if (group != nullptr) live.members_at = group->members_at();
  if (entry.kind == wire::EntryKind::kMembers) {
    const auto change = wire::parse_members_change(entry.content);
    if (!change) return tl::unexpected<Error>(change.error());
    live.concerned = perhaps_concerned_by(entry.sender, *change);
    if (group != nullptr) {
      const auto moves = group->apply(entry.seq, entry.sender, *change);
      if (group->is_known()) live.concerned = concerned_by(*change, moves);
      heads_.weigh(entry.conversation);
    }
  }
  return group != nullptr && group->is_known();
}

Head& LogReplay::add_ordered(const wire::Entry& entry, LogPosition position) {
  Head& head = heads_.add(entry.conversation);
  const bool is_next = head.last_seq == Seq() || entry.seq == head.last_seq.next();
  if (!is_next) {
    metrics_.log_inconsistent();
    MARTLET_LOG(error, "log_inconsistent shard={} position={} seq={} last_seq={}",
                start_.shard.value(), position.value(), entry.seq.value(), head.last_seq.value());
  }
  head.last_seq = std::max(head.last_seq, entry.seq);
  head.last_position = position;
  remember(entry, position);
  return head;
}

void LogReplay::remember(const wire::Entry& entry, LogPosition position) {
  const MonotonicTime until = leaves_window(entry);
  if (position <= start_.watermark && until <= start_.moment.now) {
    return window_.raise_complete_since(entry.time_ms);
  }
  const bool is_new = window_.add(entry.conversation, entry.sender, entry.client_msg_id,
                                  {.seq = entry.seq,
                                   .message_id = entry.message_id,
                                   .time_ms = entry.time_ms,
                                   .content_hash = entry.content_hash,
                                   .position = position},
                                  until);
  if (is_new) return;
  metrics_.log_inconsistent();
  MARTLET_LOG(error, "log_has_a_duplicate shard={} position={}", start_.shard.value(),
              position.value());
}

MonotonicTime LogReplay::leaves_window(const wire::Entry& entry) const {
  const WallMs now = start_.moment.wall_ms;
  const Duration age = std::chrono::milliseconds(now > entry.time_ms ? now - entry.time_ms : 0);
  return start_.moment.now + std::max(Duration{0}, limits_.window_time - age);
}

void LogReplay::keep_live(LiveEntry live) {
  live_bytes_ += live.entry.content.size();
  live_.push_back(std::move(live));
  while (live_.size() > kMaxRepublishedEntries || live_bytes_ > kMaxRepublishedBytes) {
    live_bytes_ -= live_.front().entry.content.size();
    note_missed(live_.front());
    live_.pop_front();
  }
}

void LogReplay::note_missed(const LiveEntry& live) {
  for (ConversationId& hint : hints_for(live)) {
    if (missed_.size() < kMaxResyncHints) missed_.insert(std::move(hint));
  }
}

void LogReplay::finish() {
  if (is_gap_before_) window_.raise_complete_since(start_.moment.wall_ms);
}

}  // namespace martlet::dispatcher
