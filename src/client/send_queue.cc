#include "client/send_queue.h"

#include <algorithm>

#include "base/assert.h"

namespace martlet::client {

// ---- what the application does ------------------------------------------------------------

Result<void> SendQueue::add(OutgoingMessage message, MonotonicTime now) {
  if (entries_.size() + confirms_.size() >= kMaxQueuedSends) {
    return fail(ErrorCode::kBusy, "too many messages wait to be sent");
  }
  if (entries_.contains(message.id) || confirms_.contains(message.id)) {
    return fail(ErrorCode::kConflict, "this client_msg_id is being sent");
  }
  append(std::move(message), false);
  pump(now);
  return {};
}

void SendQueue::restore(const std::deque<OutgoingMessage>& messages) {
  for (const OutgoingMessage& message : messages) append(message, true);
}

void SendQueue::append(OutgoingMessage message, bool from_store) {
  Lane& lane = lanes_[message.conversation];
  Entry entry;
  entry.message = std::move(message);
  entry.order = next_order_++;
  entry.from_store = from_store;
  entry.lane = &lane;
  lane.entries.push_back(std::move(entry));
  const auto last = std::prev(lane.entries.end());
  entries_.emplace(last->message.id, last);
  if (lane.next_to_send != lane.entries.end()) return;
  lane.next_to_send = last;
  offer(lane);
}

// ---- sending ------------------------------------------------------------------------------

void SendQueue::offer(Lane& lane) {
  if (lane.stopped || lane.next_to_send == lane.entries.end()) return;
  ready_[lane.next_to_send->order] = &lane;
}

void SendQueue::withdraw(Lane& lane) {
  if (lane.next_to_send != lane.entries.end()) ready_.erase(lane.next_to_send->order);
}

void SendQueue::pump(MonotonicTime now) {
  if (!connected_) return;
  repeat_confirms(now);
  while (out_.size() < window_ && !ready_.empty()) send_next(*ready_.begin()->second, now);
}

void SendQueue::send_next(Lane& lane, MonotonicTime now) {
  withdraw(lane);
  const auto entry = lane.next_to_send++;
  std::optional<ClientMsgId> follows;
  if (entry != lane.entries.begin()) follows = std::prev(entry)->message.id;
  entry->is_out = true;
  ++lane.out;
  emit_send(*entry, follows, now);
  offer(lane);
}

// A quarter of the window at most, so that neither starves the other.
void SendQueue::repeat_confirms(MonotonicTime now) {
  std::size_t room = room_for_confirms();
  if (room == 0) return;
  for (auto& [id, confirm] : confirms_) {
    if (confirm.entry.is_out || confirm.repeat_at > now) continue;
    confirm.entry.is_out = true;
    emit_send(confirm.entry, std::nullopt, now);
    if (--room == 0) return;
  }
}

std::size_t SendQueue::room_for_confirms() const {
  if (confirms_.empty() || out_.size() >= window_) return 0;
  const std::size_t share = std::max<std::size_t>(window_ / 4, 1);
  std::size_t used = 0;
  for (const auto& [id, confirm] : confirms_) used += confirm.entry.is_out ? 1 : 0;
  return used < share ? std::min(share - used, window_ - out_.size()) : 0;
}

void SendQueue::emit_send(Entry& entry, std::optional<ClientMsgId> follows, MonotonicTime now) {
  ++counters_.sends;
  if (entry.was_sent) ++counters_.repeats;
  entry.was_sent = true;
  if (!entry.first_sent && !entry.from_store) entry.first_sent = now;
  out_[entry.message.id] = now;
  std::optional<Duration> age;
  if (entry.first_sent) age = now - *entry.first_sent;
  actions_.emplace_back(Send{entry.message, age, follows});
}

// ---- connections --------------------------------------------------------------------------

void SendQueue::on_connected(std::uint32_t window, MonotonicTime now) {
  connected_ = true;
  reconnect_asked_ = false;
  window_ = std::max<std::uint32_t>(window, 1);
  out_.clear();
  ready_.clear();
  stopped_.clear();
  for (auto& [id, confirm] : confirms_) {
    confirm.entry.is_out = false;
    confirm.repeat_at = now;
  }
  for (auto& [id, lane] : lanes_) {
    for (Entry& entry : lane.entries) entry.is_out = false;
    lane.out = 0;
    lane.stopped = false;
    lane.resume_at.reset();
    lane.next_to_send = lane.entries.begin();
    offer(lane);
  }
  pump(now);
}

void SendQueue::on_disconnected() {
  connected_ = false;
  out_.clear();
}

// ---- answers ------------------------------------------------------------------------------

// The lane goes with its last message: a client may write to many conversations in its life.
SendQueue::Entry SendQueue::remove(Entries::iterator at, MonotonicTime now) {
  Lane& lane = *at->lane;
  out_.erase(at->message.id);
  if (at->is_out) --lane.out;
  if (at == lane.next_to_send) {
    withdraw(lane);
    ++lane.next_to_send;
    offer(lane);
  }
  Entry entry = std::move(*at);
  entries_.erase(entry.message.id);
  lane.entries.erase(at);
  entry.is_out = false;
  entry.lane = nullptr;
  if (lane.entries.empty()) {
    stopped_.erase(&lane);
    lanes_.erase(entry.message.conversation);
  } else {
    when_all_answered(lane, now);
  }
  return entry;
}

void SendQueue::on_ack(const Acknowledged& ack, MonotonicTime now) {
  if (confirms_.contains(ack.id)) {
    on_confirm_answer(ack, now);
    return;
  }
  const auto found = entries_.find(ack.id);
  if (found == entries_.end() || found->second->message.conversation != ack.conversation) return;
  found->second->lane->backoff.reset();
  Entry entry = remove(found->second, now);
  ++counters_.acked;
  actions_.emplace_back(Acked{ack, entry.message});
  const bool waits = entry.message.want == Strength::kStored && ack.level != Strength::kStored;
  if (waits) {
    Confirm& confirm = confirms_.emplace(ack.id, Confirm(std::move(entry))).first->second;
    confirm.repeat_at = now + confirm.backoff.next(random_);
  } else {
    if (ack.level == Strength::kStored) {
      actions_.emplace_back(Stored{ack.id, ack.conversation, ack.seq});
    }
    actions_.emplace_back(Forget{ack.id});
  }
  pump(now);
}

void SendQueue::on_confirm_answer(const Acknowledged& ack, MonotonicTime now) {
  Confirm& confirm = confirms_.at(ack.id);
  out_.erase(ack.id);
  confirm.entry.is_out = false;
  confirm.repeat_at = now + confirm.backoff.next(random_);
  if (ack.level == Strength::kStored) {
    on_stored(ack.id, ack.seq, now);
  } else {
    pump(now);
  }
}

void SendQueue::on_stored(const ClientMsgId& id, Seq seq, MonotonicTime now) {
  const auto confirm = confirms_.find(id);
  if (confirm == confirms_.end()) return;
  actions_.emplace_back(Stored{id, confirm->second.entry.message.conversation, seq});
  actions_.emplace_back(Forget{id});
  out_.erase(id);
  confirms_.erase(confirm);
  pump(now);
}

void SendQueue::on_refused(const ClientMsgId& id, const Error& error, bool retryable,
                           MonotonicTime now) {
  if (const auto confirm = confirms_.find(id); confirm != confirms_.end()) {
    // It is in the log, whatever this answer says: ask again later.
    out_.erase(id);
    confirm->second.entry.is_out = false;
    confirm->second.repeat_at = now + confirm->second.backoff.next(random_);
    pump(now);
    return;
  }
  const auto found = entries_.find(id);
  if (found == entries_.end() || !found->second->is_out) return;
  if (retryable) {
    ++counters_.retryable;
    Lane& lane = *found->second->lane;
    found->second->is_out = false;
    out_.erase(id);
    --lane.out;
    stop(lane, std::chrono::milliseconds(error.retry_after_ms));
    when_all_answered(lane, now);
  } else {
    ++counters_.refused;
    // What waits behind it does so because of it alone.
    found->second->lane->backoff.reset();
    Entry entry = remove(found->second, now);
    actions_.emplace_back(Refused{std::move(entry.message), error});
    actions_.emplace_back(Forget{id});
  }
  pump(now);
}

void SendQueue::stop(Lane& lane, Duration retry_after) {
  withdraw(lane);
  lane.stopped = true;
  lane.retry_after = std::max(lane.retry_after, retry_after);
  stopped_.insert(&lane);
}

// Those that are out may still be accepted: to repeat before they are answered would put them
// behind later ones.
void SendQueue::when_all_answered(Lane& lane, MonotonicTime now) {
  if (!lane.stopped || lane.out > 0 || lane.resume_at) return;
  const Duration least = lane.backoff.next(random_);
  lane.resume_at = now + std::max(least, random_.jitter(lane.retry_after * 5 / 4, 0.2));
  lane.retry_after = {};
}

void SendQueue::restart(Lane& lane) {
  lane.stopped = false;
  lane.resume_at.reset();
  lane.next_to_send = lane.entries.begin();
  offer(lane);
}

// ---- time ---------------------------------------------------------------------------------

void SendQueue::tick(MonotonicTime now) {
  if (!connected_) return;
  for (auto at = stopped_.begin(); at != stopped_.end();) {
    Lane& lane = **at;
    if (!lane.resume_at || *lane.resume_at > now) {
      ++at;
      continue;
    }
    at = stopped_.erase(at);
    restart(lane);
  }
  const bool overdue = std::any_of(out_.begin(), out_.end(), [now](const auto& sent) {
    return now - sent.second >= kAnswerDeadline;
  });
  if (overdue && !reconnect_asked_) {
    reconnect_asked_ = true;
    ++counters_.overdue;
    actions_.emplace_back(Reconnect{});
  }
  pump(now);
}

std::optional<MonotonicTime> SendQueue::next_deadline() const {
  if (!connected_) return std::nullopt;
  std::optional<MonotonicTime> next;
  const auto consider = [&next](MonotonicTime at) { next = next ? std::min(*next, at) : at; };
  if (!reconnect_asked_) {
    for (const auto& [id, since] : out_) consider(since + kAnswerDeadline);
  }
  for (const Lane* lane : stopped_) {
    if (lane->resume_at) consider(*lane->resume_at);
  }
  // One that is due and finds no room is sent upon the next answer.
  if (room_for_confirms() == 0) return next;
  for (const auto& [id, confirm] : confirms_) {
    if (!confirm.entry.is_out) consider(confirm.repeat_at);
  }
  return next;
}

std::vector<SendQueue::Action> SendQueue::take_actions() {
  return std::exchange(actions_, {});
}

}  // namespace martlet::client
