#include "client/group_changes.h"

#include <algorithm>
#include <utility>

#include "client/limits.h"

namespace martlet::client {

template <class List, class Visit>
void GroupChanges::visit_heads(List& entries, const Visit& visit) {
  std::set<GroupId> seen;
  for (auto& entry : entries) {
    if (seen.insert(entry.change.group).second) visit(entry);
  }
}

GroupChanges::Entries::iterator GroupChanges::find(const ClientMsgId& id) {
  return std::find_if(entries_.begin(), entries_.end(),
                      [&id](const Entry& entry) { return entry.change.id == id; });
}

Result<void> GroupChanges::add(OutgoingChange change, MonotonicTime now) {
  if (entries_.size() >= kMaxQueuedChanges) {
    return fail(ErrorCode::kBusy, "too many changes of groups wait to be answered");
  }
  if (find(change.id) != entries_.end()) {
    return fail(ErrorCode::kConflict, "this client_msg_id is being sent");
  }
  append(std::move(change), false, now);
  pump(now);
  return {};
}

void GroupChanges::restore(const std::deque<OutgoingChange>& changes) {
  for (const OutgoingChange& change : changes) append(change, true, MonotonicTime{});
}

void GroupChanges::append(OutgoingChange change, bool from_store, MonotonicTime due) {
  Entry entry{std::move(change), Backoff(kSendRetryMin, kSendRetryMax)};
  entry.from_store = from_store;
  entry.due = due;
  entries_.push_back(std::move(entry));
}

void GroupChanges::pump(MonotonicTime now) {
  if (!connected_) return;
  auto out = static_cast<std::size_t>(std::count_if(
      entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.is_out; }));
  visit_heads(entries_, [&](Entry& entry) {
    if (entry.is_out || entry.due > now || out >= kMaxChangesOut) return;
    ++out;
    ask(entry, now);
  });
}

void GroupChanges::ask(Entry& entry, MonotonicTime now) {
  entry.is_out = true;
  if (!entry.first_sent && !entry.from_store) entry.first_sent = now;
  std::optional<Duration> age;
  if (entry.first_sent) age = now - *entry.first_sent;
  actions_.emplace_back(Ask{entry.change, age});
}

void GroupChanges::on_connected(MonotonicTime now) {
  connected_ = true;
  for (Entry& entry : entries_) {
    entry.is_out = false;
    entry.due = now;
  }
  pump(now);
}

void GroupChanges::on_disconnected() {
  connected_ = false;
  for (Entry& entry : entries_) entry.is_out = false;
}

void GroupChanges::on_ack(const Acknowledged& ack, MonotonicTime now) {
  const auto at = find(ack.id);
  if (at == entries_.end()) return;
  actions_.emplace_back(Done{std::move(at->change), ack});
  entries_.erase(at);
  pump(now);
}

void GroupChanges::on_refused(const ClientMsgId& id, const Error& error, bool retryable,
                              MonotonicTime now) {
  const auto at = find(id);
  if (at == entries_.end() || !at->is_out) return;
  if (retryable) {
    at->is_out = false;
    const Duration told = std::chrono::milliseconds(error.retry_after_ms);
    at->due = now + std::max(at->backoff.next(random_), random_.jitter(told * 5 / 4, 0.2));
  } else {
    actions_.emplace_back(Refused{std::move(at->change), error});
    entries_.erase(at);
  }
  pump(now);
}

std::optional<MonotonicTime> GroupChanges::next_deadline() const {
  if (!connected_) return std::nullopt;
  std::optional<MonotonicTime> next;
  std::size_t out = 0;
  visit_heads(entries_, [&](const Entry& entry) {
    if (entry.is_out) {
      ++out;
    } else {
      next = next ? std::min(*next, entry.due) : entry.due;
    }
  });
  // One that is due and finds no room is sent upon the next answer.
  return out < kMaxChangesOut ? next : std::nullopt;
}

std::vector<GroupChanges::Action> GroupChanges::take_actions() {
  return std::exchange(actions_, {});
}

}  // namespace martlet::client
