#include "support/fake_database.h"

#include <algorithm>

#include "base/assert.h"
#include "wire/members_change.h"

namespace martlet::test {

void FakeDatabase::apply(LogPosition position, const wire::Batch& batch) {
  MARTLET_ASSERT(position == watermark.next());
  for (const wire::Entry& entry : batch.entries) {
    if (!wire::is_ordered(entry.kind)) continue;
    Seq& last = last_seqs_[entry.conversation.str()];
    MARTLET_ASSERT(entry.seq == last.next());
    last = entry.seq;
    const Key key{entry.conversation.str(), entry.sender.str(), entry.client_msg_id};
    const wire::StoredMessage stored{true, entry.seq, entry.message_id, entry.time_ms,
                                     entry.content_hash};
    const bool is_new = messages_.emplace(key, stored).second;
    MARTLET_ASSERT(is_new);
    if (entry.kind == wire::EntryKind::kMembers) apply_change(entry);
  }
  watermark = position;
}

bool FakeDatabase::check_end(std::uint64_t last_sequence, LogPosition known) {
  const LogPosition end(base + last_sequence);
  const LogPosition must_be = std::max(watermark, known);
  if (end >= must_be) return true;
  if (end > watermark) return false;
  watermark = must_be;
  base = watermark.value() - last_sequence;
  generation = generation.next();
  return true;
}

Result<wire::ColdAnswer> FakeDatabase::answer(const wire::ColdQuestion& question) {
  if (!is_up) return fail(ErrorCode::kUnavailable, "database is down");
  ++questions;
  items += question.items();
  wire::ColdAnswer answer;
  answer.generation = generation;
  answer.watermark = watermark;
  for (const ConversationId& conversation : question.conversations) {
    answer.heads.push_back(conversation.is_group() ? group_head(conversation) : head(conversation));
  }
  for (const wire::Newcomer& newcomer : question.users) answer.users.push_back(status_of(newcomer));
  for (const wire::MessageKey& key : question.messages) {
    const auto found =
        messages_.find(Key{key.conversation.str(), key.sender.str(), key.client_msg_id});
    answer.messages.push_back(found == messages_.end() ? wire::StoredMessage{} : found->second);
  }
  return answer;
}

wire::UserStatus FakeDatabase::status_of(const wire::Newcomer& newcomer) const {
  const std::string& user = newcomer.user.str();
  if (!users.contains(user)) return wire::UserStatus::kNoSuchUser;
  if (in_many_groups.contains(user)) return wire::UserStatus::kTooManyGroups;
  const bool may_come = !came_too_often.contains({user, newcomer.group.str()});
  return may_come ? wire::UserStatus::kExists : wire::UserStatus::kCameTooOften;
}

wire::ConversationHead FakeDatabase::head(const ConversationId& conversation) {
  const auto [a, b] = conversation.users();
  if (!users.contains(a.str()) || !users.contains(b.str())) {
    return {wire::HeadStatus::kNoSuchUser, {}, {}};
  }
  const auto last = last_seqs_.find(conversation.str());
  if (last == last_seqs_.end()) return {wire::HeadStatus::kNew, {}, {}};
  return {wire::HeadStatus::kKnown, last->second, {}};
}

wire::ConversationHead FakeDatabase::group_head(const ConversationId& conversation) {
  const wire::GroupState* known = group(conversation);
  if (known == nullptr) return {wire::HeadStatus::kNoSuchGroup, {}, {}};
  if (omits > 0) {
    --omits;
    return {wire::HeadStatus::kOmitted, {}, {}};
  }
  return {wire::HeadStatus::kKnown, last_seqs_.at(conversation.str()), *known};
}

const wire::GroupState* FakeDatabase::group(const ConversationId& conversation) const {
  const auto found = groups_.find(conversation.str());
  return found == groups_.end() ? nullptr : &found->second;
}

void FakeDatabase::apply_change(const wire::Entry& entry) {
  const auto change = wire::parse_members_change(entry.content);
  MARTLET_ASSERT(change.has_value());
  const bool is_created = change->action == MembersAction::kCreated;
  const auto [place, is_new] = groups_.try_emplace(entry.conversation.str());
  MARTLET_ASSERT(is_new == is_created);
  wire::GroupState& group = place->second;
  MARTLET_ASSERT(is_created || group.members.why_not(entry.sender, *change) == ErrorCode::kNone);
  group.members.apply(entry.sender, *change);
  group.members_at = entry.seq;
}

Result<wire::ShardAnswer> FakeDatabase::answer(ShardId shard) {
  if (!is_up) return fail(ErrorCode::kUnavailable, "database is down");
  wire::ShardAnswer answer;
  answer.shard = shard;
  answer.generation = generation;
  answer.base = base;
  answer.watermark = watermark;
  return answer;
}

}  // namespace martlet::test
