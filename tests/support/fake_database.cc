#include "support/fake_database.h"

#include <algorithm>

#include "base/assert.h"

namespace martlet::test {

void FakeDatabase::apply(LogPosition position, const wire::Batch& batch) {
  MARTLET_ASSERT(position == watermark.next());
  for (const wire::Entry& entry : batch.entries) {
    if (entry.kind != wire::EntryKind::kMessage) continue;
    Seq& last = last_seqs_[entry.conversation.str()];
    MARTLET_ASSERT(entry.seq == last.next());
    last = entry.seq;
    const Key key{entry.conversation.str(), entry.sender.str(), entry.client_msg_id};
    const wire::StoredMessage stored{true, entry.seq, entry.message_id, entry.time_ms,
                                     entry.content_hash};
    const bool is_new = messages_.emplace(key, stored).second;
    MARTLET_ASSERT(is_new);
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
  items += question.conversations.size() + question.messages.size();
  wire::ColdAnswer answer;
  answer.generation = generation;
  answer.watermark = watermark;
  for (const ConversationId& conversation : question.conversations) {
    const auto [a, b] = conversation.users();
    const auto last = last_seqs_.find(conversation.str());
    wire::ConversationHead head{wire::HeadStatus::kNew, {}};
    if (!users.contains(a.str()) || !users.contains(b.str())) {
      head.status = wire::HeadStatus::kNoSuchUser;
    } else if (last != last_seqs_.end()) {
      head = {wire::HeadStatus::kKnown, last->second};
    }
    answer.heads.push_back(head);
  }
  for (const wire::MessageKey& key : question.messages) {
    const auto found =
        messages_.find(Key{key.conversation.str(), key.sender.str(), key.client_msg_id});
    answer.messages.push_back(found == messages_.end() ? wire::StoredMessage{} : found->second);
  }
  return answer;
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
