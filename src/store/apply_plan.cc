#include "store/apply_plan.h"

#include <algorithm>

#include "wire/members_change.h"

namespace martlet::store {

void ApplyPlan::add(const wire::Entry& entry, LogPosition position, Generation generation) {
  switch (entry.kind) {
    case wire::EntryKind::kOwner:
      return;
    case wire::EntryKind::kMessage:
      return add_message(entry, position, generation);
    case wire::EntryKind::kMembers:
      add_message(entry, position, generation);
      return add_members(entry, position, generation);
    case wire::EntryKind::kRead:
      return add_read(entry, position);
  }
}

void ApplyPlan::add_message(const wire::Entry& entry, LogPosition position, Generation generation) {
  ConversationChange& change = conversations_[entry.conversation.str()];
  const std::uint64_t seq = entry.seq.value();
  change.last_seq = std::max(change.last_seq, seq);
  change.last_position = std::max(change.last_position, position.value());
  change.begins = change.begins || seq == 1;
  if (!entry.conversation.is_group()) {
    const auto [first, second] = entry.conversation.users();
    if (entry.sender == first) change.sent_first = std::max(change.sent_first, seq);
    if (entry.sender == second) change.sent_second = std::max(change.sent_second, seq);
  }
  messages_.push_back({&entry, position, generation});
}

void ApplyPlan::add_members(const wire::Entry& entry, LogPosition position, Generation generation) {
  auto change = wire::parse_members_change(entry.content);
  if (change && entry.conversation.is_group()) {
    groups_.push_back({&entry, position, std::move(*change)});
  } else {
    unreadable_.push_back({&entry, position, generation});
  }
}

void ApplyPlan::add_read(const wire::Entry& entry, LogPosition position) {
  ReadChange& change = reads_[{entry.sender.str(), entry.conversation.str()}];
  // A cursor only grows; one that does not is no change.
  if (entry.seq.value() <= change.seq) return;
  change.seq = entry.seq.value();
  change.position = position.value();
}

}  // namespace martlet::store
