#include "client/track.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "wire/limits.h"

namespace martlet::client {

Track::Track(Cursor cursor) : cursor_(std::move(cursor)) {
  in_doubt_ = !cursor_.recent.empty() && cursor_.recent.rbegin()->first > cursor_.shown;
}

void Track::start_after(std::uint64_t seq) {
  seq = std::min(seq, wire::kMaxSeq);
  cursor_.shown = std::max(cursor_.shown, seq);
  cursor_.target = std::max(cursor_.target, cursor_.shown);
  cursor_.confirm(seq);
}

bool Track::raise_generation(Generation generation) {
  if (generation.value() <= cursor_.generation) return false;
  cursor_.generation = generation.value();
  forget_unconfirmed();
  in_doubt_ = !cursor_.recent.empty() && cursor_.recent.rbegin()->first > cursor_.shown;
  return true;
}

void Track::forget_unconfirmed() {
  cursor_.shown = std::min(cursor_.shown, cursor_.durable);
  cursor_.target = cursor_.durable;
  ahead_.erase(ahead_.upper_bound(cursor_.durable), ahead_.end());
  withheld_.erase(withheld_.upper_bound(cursor_.durable), withheld_.end());
}

// From there on the log is another one than it was.
Track::Step Track::drop_from(std::uint64_t seq) {
  cursor_.recent.erase(cursor_.recent.lower_bound(seq), cursor_.recent.end());
  in_doubt_ = false;
  return Step{Step::Kind::kDrop, Origin::kLive, seq, {}};
}

Track::Step Track::take_back() {
  MARTLET_ASSERT(!cursor_.recent.empty());
  forget_unconfirmed();
  return drop_from(cursor_.durable + 1);
}

bool Track::add(Message message, Origin origin) {
  const std::uint64_t seq = message.seq.value();
  if (seq == 0 || seq > wire::kMaxSeq) return false;
  if (origin == Origin::kFetched) cursor_.confirm(seq);
  cursor_.target = std::max(cursor_.target, seq);
  if (seq <= cursor_.shown) return false;
  return ahead_.try_emplace(seq, Ahead{std::move(message), origin}).second;
}

void Track::withhold(SeqRange seqs) {
  seqs.to = std::min(seqs.to, wire::kMaxSeq);
  if (seqs.to <= cursor_.shown || seqs.from > seqs.to) return;
  auto at = withheld_.upper_bound(seqs.from);
  if (at != withheld_.begin() && std::prev(at)->second >= seqs.from) --at;
  while (at != withheld_.end() && at->first <= seqs.to) {
    seqs.from = std::min(seqs.from, at->first);
    seqs.to = std::max(seqs.to, at->second);
    at = withheld_.erase(at);
  }
  withheld_[seqs.from] = seqs.to;
}

void Track::expect(Seq seq) {
  cursor_.target = std::max(cursor_.target, std::min(seq.value(), wire::kMaxSeq));
}

void Track::told(std::uint64_t last) {
  last = std::min(last, wire::kMaxSeq);
  cursor_.target = std::max(cursor_.target, last);
  cursor_.confirm(last);
}

void Track::end_at(std::uint64_t last) {
  last = std::max(last, cursor_.shown);
  if (!ahead_.empty()) last = std::max(last, ahead_.rbegin()->first);
  cursor_.target = std::min(cursor_.target, last);
}

void Track::give_up_lacking() {
  ahead_.clear();
  withheld_.clear();
  cursor_.target = cursor_.shown;
}

bool Track::step_to_message(std::vector<Step>& steps) {
  const auto at = ahead_.find(cursor_.shown + 1);
  if (at == ahead_.end()) return false;
  const std::uint64_t seq = at->first;
  const std::uint64_t id = at->second.message.id.value();
  // Nothing above `shown` is recent but what is in doubt. Where a message is now that was not seen
  // then, be it that another one stood there, be it that the seq was withheld, nothing survived.
  const auto before = cursor_.recent.lower_bound(seq);
  const bool was_shown =
      before != cursor_.recent.end() && before->first == seq && before->second == id;
  if (before != cursor_.recent.end() && !was_shown) steps.push_back(drop_from(seq));
  cursor_.show(seq, id);
  if (was_shown) {
    cursor_.confirm(cursor_.durable);
    steps.push_back({});
  } else {
    steps.push_back({Step::Kind::kShow, at->second.origin, 0, std::move(at->second.message)});
  }
  ahead_.erase(at);
  return true;
}

bool Track::step_over_withheld(std::vector<Step>& steps) {
  const auto first = withheld_.begin();
  if (first == withheld_.end() || first->first > cursor_.shown + 1) return false;
  if (first->second > cursor_.shown) {
    const auto gone = cursor_.recent.upper_bound(cursor_.shown);
    const bool was_shown = gone != cursor_.recent.end() && gone->first <= first->second;
    if (was_shown) steps.push_back(drop_from(cursor_.shown + 1));
    cursor_.shown = first->second;
    cursor_.target = std::max(cursor_.target, cursor_.shown);
    ahead_.erase(ahead_.begin(), ahead_.upper_bound(cursor_.shown));
    steps.push_back({});
  }
  withheld_.erase(first);
  return true;
}

std::vector<Track::Step> Track::advance() {
  std::vector<Step> steps;
  while (step_over_withheld(steps) || step_to_message(steps)) {
  }
  return steps;
}

std::optional<Track::Step> Track::settle() {
  if (!in_doubt_ || is_lacking()) return std::nullopt;
  in_doubt_ = false;
  const auto gone = cursor_.recent.upper_bound(cursor_.shown);
  if (gone == cursor_.recent.end()) return std::nullopt;
  return drop_from(cursor_.shown + 1);
}

// Walks the two ordered maps together; visit(range) returns false to end.
template <class Visit>
void Track::visit_lacking(const Visit& visit) const {
  std::uint64_t next = cursor_.shown + 1;
  auto message = ahead_.begin();
  auto range = withheld_.begin();
  while (next <= cursor_.target) {
    while (range != withheld_.end() && range->second < next) ++range;
    while (message != ahead_.end() && message->first < next) ++message;
    if (range != withheld_.end() && range->first <= next) {
      next = range->second + 1;
      continue;
    }
    if (message != ahead_.end() && message->first == next) {
      ++next;
      continue;
    }
    std::uint64_t to = cursor_.target;
    if (range != withheld_.end()) to = std::min(to, range->first - 1);
    if (message != ahead_.end()) to = std::min(to, message->first - 1);
    if (!visit(SeqRange{next, to})) return;
    next = to + 1;
  }
}

std::vector<SeqRange> Track::lacking(std::size_t most) const {
  std::vector<SeqRange> ranges;
  if (most == 0) return ranges;
  visit_lacking([&](SeqRange range) {
    ranges.push_back(range);
    return ranges.size() < most;
  });
  return ranges;
}

std::uint64_t Track::count_lacking(SeqRange seqs) const {
  std::uint64_t count = 0;
  visit_lacking([&](SeqRange range) {
    const std::uint64_t from = std::max(range.from, seqs.from);
    const std::uint64_t to = std::min(range.to, seqs.to);
    if (from <= to) count += to - from + 1;
    return range.to < seqs.to;
  });
  return count;
}

}  // namespace martlet::client
