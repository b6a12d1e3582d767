#include "store/apply_plan.h"

#include <algorithm>

#include "wire/members_change.h"

namespace martlet::store {

void ApplyPlan::add(const wire::Entry& entry, const LogPlace& place) {
  switch (entry.kind) {
    case wire::EntryKind::kOwner:
      return;
    case wire::EntryKind::kMessage:
      return add_message(entry, place);
    case wire::EntryKind::kMembers:
      add_message(entry, place);
      return add_members(entry, place);
    case wire::EntryKind::kRead:
      return add_read(entry, place);
  }
}

void ApplyPlan::add_message(const wire::Entry& entry, const LogPlace& place) {
  ConversationChange& change = conversations_[entry.conversation.str()];
  const std::uint64_t seq = entry.seq.value();
  change.shard = place.shard;
  change.last_seq = std::max(change.last_seq, seq);
  change.last_position = std::max(change.last_position, place.position.value());
  change.begins = change.begins || seq == 1;
  if (!entry.conversation.is_group()) {
    const auto [first, second] = entry.conversation.users();
    if (entry.sender == first) change.sent_first = std::max(change.sent_first, seq);
    if (entry.sender == second) change.sent_second = std::max(change.sent_second, seq);
  }
  messages_.push_back({&entry, place});
}

void ApplyPlan::add_members(const wire::Entry& entry, const LogPlace& place) {
  auto change = wire::parse_members_change(entry.content);
  if (change && entry.conversation.is_group()) {
    groups_.push_back({&entry, place.position, std::move(*change)});
  } else {
    unreadable_.push_back({&entry, place});
  }
}

void ApplyPlan::add_read(const wire::Entry& entry, const LogPlace& place) {
  ReadChange& change = reads_[{entry.sender.str(), entry.conversation.str()}];
  // A cursor only grows; one that does not is no change.
  if (entry.seq.value() <= change.seq) return;
  change = {place.shard, entry.seq.value(), place.position.value()};
}

}  // namespace martlet::store
