// What the sequencer learns from persist: watermarks, cold conversations, duplicates.
#include <utility>

#include "base/assert.h"
#include "base/planted.h"
#include "dispatcher/shard_core.h"
#include "wire/requests.h"

namespace martlet::dispatcher {
namespace {

// Whether the answer says who is in the group, or that it does not exist.
bool knows_group(const wire::ConversationHead& told) {
  return told.status == wire::HeadStatus::kNoSuchGroup || told.group.has_value();
}

}  // namespace

void ShardCore::watermark(const wire::Watermark& told) {
  if (is_doubting_ || told.shard != shard_ || told.generation < generation_) return;
  if (told.generation > generation_) return doubt("generation_raised");
  // Our append may be stored before we hear of its acknowledgement, but nothing beyond it.
  const std::uint64_t end = base_ + last_.value() + (in_flight_ ? 1 : 0);
  if (told.base != base_ || told.position.value() > end) return doubt("watermark_beyond_the_log");
  if (told.position <= watermark_) return;
  watermark_ = told.position;
  stored_waits_.release(watermark_, [this](const StoredWait& wait) {
    wire::Answer answer;
    answer.kind = wire::AnswerKind::kStored;
    answer.session = wait.asker.session;
    answer.request_id = wait.asker.request_id;
    answer.command = wait.asker.command;
    answer.client_msg_id = wait.id;
    answer.seq = wait.seq;
    answer.message_id = wait.message_id;
    answer.time_ms = wait.time_ms;
    answer.level = wire::AckLevel::Stored;
    actions_.answers[wait.asker.edge].push_back({answer, wait.conversation.str()});
  });
  heads_.forget_surplus(watermark_);
}

void ShardCore::cold_answer(const Result<wire::ColdAnswer>& answer, const Moment& moment) {
  if (is_doubting_ || is_letting_go_) return;
  MARTLET_ASSERT(parking_.is_asking());
  metrics_.cold_took(moment.now - asked_);
  if (answer && answer->generation > generation_) return doubt("generation_raised");
  if (!is_usable(answer)) {
    metrics_.cold_failed();
    for (const ConversationId& one : parking_.asked().conversations) mark_asked(one, false);
    parking_.question_failed();
    ask_after_ = moment.now + kColdRetryPause;
    return;
  }
  const wire::ColdQuestion asked = parking_.asked();
  const std::vector<ConversationId> concerned = parking_.question_answered(answer->users);
  for (std::size_t i = 0; i < asked.messages.size(); ++i) {
    const wire::StoredMessage& stored = answer->messages[i];
    if (!stored.found) continue;
    const wire::MessageKey& key = asked.messages[i];
    // Kept like any other, so that what follows it is accepted too.
    window_.add(key.conversation, key.sender, key.client_msg_id,
                {.seq = stored.seq,
                 .message_id = stored.message_id,
                 .time_ms = stored.time_ms,
                 .content_hash = stored.content_hash},
                moment.now + limits_.window_time);
  }
  for (std::size_t i = 0; i < asked.conversations.size(); ++i) {
    learn_head(asked.conversations[i], answer->heads[i], moment);
  }
  for (const ConversationId& conversation : concerned) judge_ready(conversation, moment);
}

void ShardCore::asking(const wire::ColdQuestion& question, const Moment& moment) {
  asked_ = moment.now;
  metrics_.cold_asked(question.items());
  for (const ConversationId& one : question.conversations) mark_asked(one, true);
}

void ShardCore::mark_asked(const ConversationId& conversation, bool is_asked) {
  if (Head* head = heads_.find(conversation); head != nullptr) head->is_asked = is_asked;
}

// A snapshot older than our memory may lack entries that we forgot since.
bool ShardCore::is_usable(const Result<wire::ColdAnswer>& answer) {
  if (!answer || answer->error.code != ErrorCode::kNone) return false;
  const wire::ColdQuestion& asked = parking_.asked();
  return answer->generation == generation_ && answer->watermark >= asked.min_watermark &&
         answer->heads.size() == asked.conversations.size() &&
         answer->messages.size() == asked.messages.size() &&
         answer->users.size() == asked.users.size();
}

void ShardCore::learn_head(const ConversationId& conversation, const wire::ConversationHead& told,
                           const Moment& moment) {
  mark_asked(conversation, false);
  const bool is_group = conversation.is_group();
  if (told.status == wire::HeadStatus::kNoSuchUser) {
    for (const SendFrame& frame : parking_.take_all(conversation)) {
      refuse(frame, ErrorCode::kNoSuchUser, moment);
    }
    return;
  }
  if (told.status == wire::HeadStatus::kOmitted || (is_group && !knows_group(told))) {
    return parking_.want_head(conversation);
  }
  Head* head = heads_.find(conversation);
  if (head == nullptr) {
    head = &heads_.add(conversation);
    head->last_seq = told.last_seq;
  }
  if (is_planted(Planted::kAcceptOldAnswer)) head->last_seq = told.last_seq;
  if (is_group) {
    head->group->learn(told.group.value_or(wire::GroupState()));
    heads_.weigh(conversation);
  }
  judge_ready(conversation, moment);
  // A group that nobody created is not worth remembering.
  head = heads_.find(conversation);
  MARTLET_ASSERT(head != nullptr);
  if (head->last_seq == Seq() && is_group) heads_.forget(conversation);
  heads_.forget_surplus(watermark_);
}

Head* ShardCore::usable_head(const ConversationId& conversation) {
  Head* head = heads_.find(conversation);
  return head != nullptr && head->is_usable() ? head : nullptr;
}

void ShardCore::judge_ready(const ConversationId& conversation, const Moment& moment) {
  if (usable_head(conversation) == nullptr) return parking_.want_head(conversation);
  for (SendFrame& frame : parking_.take_ready(conversation)) judge(std::move(frame), moment);
}

}  // namespace martlet::dispatcher
