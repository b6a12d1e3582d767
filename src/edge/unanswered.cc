#include "edge/unanswered.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace martlet::edge {
namespace {

constexpr std::size_t kSlots = 256;

}  // namespace

Unanswered::Unanswered(MonotonicTime now, const UnansweredLimits& limits, UnansweredPort& port)
    : limits_(limits),
      port_(port),
      wheel_(now, limits.tick, kSlots),
      repeats_(limits.repeats_per_second, limits.repeat_burst, now),
      now_(now) {}

bool Unanswered::is_below_limit(const Shard& shard) const {
  return shard.frames.size() < limits_.max_frames_per_shard &&
         shard.bytes < limits_.max_bytes_per_shard;
}

bool Unanswered::has_credit(ShardId shard) const {
  const auto found = shards_.find(shard);
  return found == shards_.end() || is_below_limit(found->second);
}

void Unanswered::add(OutgoingFrame frame, MonotonicTime now) {
  now_ = now;
  const ShardId shard_id = frame.shard;
  Shard& shard = shards_[shard_id];
  MARTLET_ASSERT(is_below_limit(shard));
  const Order order = ++last_order_;
  const bool is_new = index_.try_emplace(frame.key, Place{shard_id, order}).second;
  MARTLET_ASSERT(is_new);
  shard.bytes += frame.payload.size();
  repeats_.add(limits_.repeat_share);

  Waiting waiting;
  waiting.frame = std::move(frame);
  waiting.give_up = now + limits_.timeout;
  publish(waiting);
  waiting.backoff = limits_.first_repeat;
  waiting.timer =
      std::make_unique<TimerWheel::Entry>([this, shard_id, order] { on_timer(shard_id, order); });
  wheel_.schedule(*waiting.timer, now + waiting.backoff);
  shard.frames.emplace(order, std::move(waiting));
}

bool Unanswered::settle(const RequestKey& key, const ClientMsgId& id) {
  const auto found = index_.find(key);
  if (found == index_.end()) return false;
  const Place place = found->second;
  if (shards_.at(place.shard).frames.at(place.order).frame.client_msg_id != id) return false;
  remove(key);
  return true;
}

void Unanswered::drop(const RequestKey& key) {
  if (index_.contains(key)) remove(key);
}

OutgoingFrame Unanswered::remove(const RequestKey& key) {
  const Place place = index_.at(key);
  index_.erase(key);
  Shard& shard = shards_.at(place.shard);
  const auto waiting = shard.frames.find(place.order);
  shard.bytes -= waiting->second.frame.payload.size();
  OutgoingFrame frame = std::move(waiting->second.frame);
  shard.frames.erase(waiting);
  if (is_below_limit(shard)) port_.on_credit(place.shard);
  return frame;
}

void Unanswered::on_timer(ShardId shard_id, Order order) {
  Waiting& waiting = shards_.at(shard_id).frames.at(order);
  if (now_ >= waiting.give_up) {
    expired_.push_back(waiting.frame.key);
    return;
  }
  if (is_held_) {
    waiting.is_owed = true;
  } else if (repeats_.take(now_)) {
    publish(waiting);
    port_.on_repeated(1);
    waiting.backoff *= 2;
  }
  wheel_.schedule(*waiting.timer, std::min(now_ + waiting.backoff, waiting.give_up));
}

void Unanswered::publish(Waiting& waiting) {
  waiting.is_owed = is_held_;
  const bool is_late = now_ >= waiting.give_up;  // and told so with the next advance()
  if (!is_held_ && !is_late) port_.publish(waiting.frame, waiting.times++);
}

void Unanswered::republish(ShardId shard_id, MonotonicTime now) {
  now_ = now;
  const auto shard = shards_.find(shard_id);
  if (shard == shards_.end() || shard->second.frames.empty()) return;
  for (auto& [order, waiting] : shard->second.frames) {
    publish(waiting);
    waiting.backoff = limits_.first_repeat;
    wheel_.schedule(*waiting.timer, std::min(now + waiting.backoff, waiting.give_up));
  }
  if (!is_held_) port_.on_repeated(shard->second.frames.size());
}

void Unanswered::republish_all(MonotonicTime now) {
  for (const auto& [shard_id, shard] : shards_) republish(shard_id, now);
}

void Unanswered::release(MonotonicTime now) {
  now_ = now;
  is_held_ = false;
  for (auto& [shard_id, shard] : shards_) {
    for (auto& [order, waiting] : shard.frames) {
      if (waiting.is_owed) publish(waiting);
    }
  }
}

void Unanswered::advance(MonotonicTime now) {
  now_ = now;
  wheel_.advance(now);
  // Forgotten first: the session may use the request id again at once.
  for (const RequestKey& key : std::exchange(expired_, {})) {
    if (index_.contains(key)) port_.on_timed_out(remove(key));
  }
}

std::size_t Unanswered::size_of(ShardId shard) const {
  const auto found = shards_.find(shard);
  return found == shards_.end() ? 0 : found->second.frames.size();
}

std::size_t Unanswered::bytes() const {
  std::size_t sum = 0;
  for (const auto& [shard_id, shard] : shards_) sum += shard.bytes;
  return sum;
}

}  // namespace martlet::edge
