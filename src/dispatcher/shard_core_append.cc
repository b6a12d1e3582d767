// The sequencer's appends: what goes into a batch, and what its result means.
#include <utility>

#include "base/assert.h"
#include "base/planted.h"
#include "dispatcher/shard_core.h"
#include "wire/limits.h"

namespace martlet::dispatcher {

Actions ShardCore::take_actions(const Moment& moment) {
  if (!is_doubting_ && !is_letting_go_) {
    if (!in_flight_ && !queue_.empty()) start_append(moment);
    if (moment.now >= ask_after_) {
      actions_.question = parking_.next_question(shard_, generation_, watermark_);
      if (actions_.question) asking(*actions_.question, moment);
    }
  }
  return std::exchange(actions_, {});
}

void ShardCore::start_append(const Moment& moment) {
  BatchInFlight& flight = in_flight_.emplace();
  flight.since = moment.now;
  flight.batch.epoch = epoch_;
  flight.batch.generation = generation_;
  std::size_t size = wire::kBatchOverheadBytes;
  while (!queue_.empty()) {
    const std::size_t with_next = size + queue_.front()->bytes;
    if (with_next > kMaxAppendBytes) break;
    size = with_next;
    flight.batch.entries.push_back(std::move(queue_.front()->entry));
    flight.open.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  MARTLET_ASSERT(!flight.open.empty());
  for (std::size_t i = 0; i < flight.open.size(); ++i) {
    trail_.entry(wire::HopKind::kAppendSent, flight.batch.entries[i], flight.open[i]->traced,
                 flight.open.size());
  }
  if (is_planted(Planted::kReorderBatch)) plant_disorder(flight);
  AppendRequest request{wire::encode(flight.batch), last_};
  MARTLET_ASSERT(request.batch.size() <= kMaxAppendBytes);
  flight.bytes = request.batch.size();
  actions_.append = std::move(request);
}

void ShardCore::append_result(tl::expected<bus::LogSequence, bus::AppendError> result,
                              const Moment& moment) {
  if (is_doubting_) return;
  MARTLET_ASSERT(in_flight_.has_value());
  if (result && *result == last_.next()) return appended(*result, moment);
  // A repeat would be safe (the expected sequence fences it), but whether the batch is in the log
  // is known for sure only by reading it, which is what a take-over does.
  doubt(result ? "append_sequence_jumped" : result.error().detail);
}

void ShardCore::appended(bus::LogSequence sequence, const Moment& moment) {
  BatchInFlight flight = std::move(*in_flight_);
  in_flight_.reset();
  last_ = sequence;
  log_bytes_ += flight.bytes + kRecordOverheadBytes;
  appended_bytes_ += flight.bytes + kRecordOverheadBytes;
  metrics_.append_took(moment.now - flight.since);
  metrics_.batch_appended(shard_, flight.open.size(), flight.bytes);
  const LogPosition position(base_ + sequence.value());
  for (std::size_t i = 0; i < flight.open.size(); ++i) {
    settle(*flight.open[i], std::move(flight.batch.entries[i]), position, moment);
  }
  window_.forget_old(moment.now, watermark_);
}

void ShardCore::settle(OpenEntry& open, wire::Entry entry, LogPosition position,
                       const Moment& moment) {
  MARTLET_ASSERT(queued_bytes_ >= open.bytes);
  queued_bytes_ -= open.bytes;
  KnownMessage message{.seq = entry.seq, .time_ms = entry.time_ms, .position = position};
  if (wire::is_ordered(entry.kind)) {
    message.message_id = entry.message_id;
    Head* head = heads_.find(entry.conversation);
    MARTLET_ASSERT(head != nullptr && head->open > 0);
    --head->open;
    head->last_position = position;
    window_.settle(open.slot, position, moment.now + limits_.window_time);
    if (entry.kind == wire::EntryKind::kMembers)
      change_logged(open, entry.conversation, *head->group, moment);
  }
  trail_.entry(wire::HopKind::kAppended, entry, open.traced, position.value());
  if (!open.askers.empty()) {
    metrics_.answered(open.askers.front().command, moment.now - open.arrived);
  }
  for (const Asker& asker : open.askers) {
    trail_.entry(wire::HopKind::kAnswered, entry, asker.traced);
    acknowledge(asker, entry.client_msg_id, entry.conversation, message);
  }
  actions_.events.push_back({position, std::move(entry), open.origin, open.members_at,
                             std::move(open.concerned), open.traced});
}

// Planted faults: what may happen only after the append happens before it.
void ShardCore::plant_haste(const OpenEntry& open) {
  if (is_planted(Planted::kAckBeforeAppend)) {
    const KnownMessage message{.seq = open.entry.seq,
                               .message_id = open.entry.message_id,
                               .time_ms = open.entry.time_ms,
                               .position = LogPosition(UINT64_MAX)};
    for (const Asker& asker : open.askers) {
      acknowledge(asker, open.entry.client_msg_id, open.entry.conversation, message);
    }
  }
  if (is_planted(Planted::kPublishBeforeAppend)) {
    actions_.events.push_back({LogPosition(), open.entry, open.origin, open.members_at, {}});
  }
}

// Planted fault: two messages of a batch that follow each other in a conversation change places.
void ShardCore::plant_disorder(BatchInFlight& flight) {
  auto& entries = flight.batch.entries;
  for (std::size_t i = 1; i < entries.size(); ++i) {
    const bool are_messages = entries[i].kind == wire::EntryKind::kMessage &&
                              entries[i - 1].kind == wire::EntryKind::kMessage;
    if (!are_messages || entries[i].conversation != entries[i - 1].conversation) continue;
    std::swap(entries[i].seq, entries[i - 1].seq);
    std::swap(entries[i].message_id, entries[i - 1].message_id);
  }
}

void ShardCore::doubt(std::string reason) {
  if (is_doubting_) return;
  is_doubting_ = true;
  actions_.append.reset();
  actions_.question.reset();
  actions_.doubt = true;
  actions_.doubt_reason = std::move(reason);
}

}  // namespace martlet::dispatcher
