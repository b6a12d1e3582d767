#include "persist/cold_desk.h"

#include "base/assert.h"
#include "persist/limits.h"
#include "store/limits.h"

namespace martlet::persist {
void ColdDesk::handle(const bus::Incoming& message) {
  auto question = wire::parse_cold_question(message.payload);
  if (!question || message.reply.empty()) return parts_.metrics.malformed();
  std::string reply(message.reply);
  if (question->items() > kMaxItemsPerQuestion)
    return refuse(reply, {ErrorCode::kBadRange, "too many items in one question"});
  if (waiting_.size() >= kMaxColdQuestions)
    return refuse(reply, {ErrorCode::kBusy, "too many questions wait"});
  const MonotonicTime now = parts_.loop.now();
  waiting_.push_back(
      {std::move(*question), std::move(reply), now, now + kColdWait, now + kColdPause});
  ask(now);
}

bool ColdDesk::is_ready(const Waiting& waiting, MonotonicTime now) const {
  if (waiting.question.shard.value() >= parts_.watermarks.shards()) return true;
  const auto& known = parts_.watermarks.at(waiting.question.shard);
  return known.watermark >= waiting.question.min_watermark || now >= waiting.ask_at;
}

void ColdDesk::tick(MonotonicTime now) {
  for (auto waiting = waiting_.begin(); waiting != waiting_.end();) {
    if (now < waiting->until) {
      ++waiting;
      continue;
    }
    refuse(waiting->reply, {ErrorCode::kBusy, "the database is behind the log"});
    waiting = waiting_.erase(waiting);
  }
  ask(now);
}

void ColdDesk::ask(MonotonicTime now) {
  while (queries_ < kMaxColdQueries && !waiting_.empty()) {
    std::deque<Waiting> asked;
    std::size_t items = 0;
    for (auto waiting = waiting_.begin(); waiting != waiting_.end();) {
      const std::size_t more = waiting->question.items();
      if (items + more > store::kMaxColdItems) break;
      if (!is_ready(*waiting, now)) {
        ++waiting;
        continue;
      }
      items += more;
      asked.push_back(std::move(*waiting));
      waiting = waiting_.erase(waiting);
    }
    if (asked.empty()) return;
    store::ColdQuestions questions;
    for (const Waiting& one : asked) questions.push_back(one.question);
    ++queries_;
    under_way_ += asked.size();
    parts_.metrics.cold_query(asked.size(), items);
    parts_.store.look_up_cold(
        std::move(questions),
        [self = self_, asked = std::move(asked)](Result<store::ColdAnswers> answers) mutable {
          if (*self != nullptr) (*self)->answered(std::move(asked), std::move(answers));
        });
  }
}

void ColdDesk::answered(std::deque<Waiting> asked, Result<store::ColdAnswers> answers) {
  const MonotonicTime now = parts_.loop.now();
  --queries_;
  under_way_ -= asked.size();
  MARTLET_ASSERT(!answers || answers->size() == asked.size());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!answers) {
      refuse(asked[i].reply, answers.error());
      continue;
    }
    const wire::ColdAnswer& answer = (*answers)[i];
    const bool too_old =
        answer.error.code == ErrorCode::kNone && answer.watermark < asked[i].question.min_watermark;
    if (too_old) {
      asked[i].ask_at = now + kColdPause;
      waiting_.push_back(std::move(asked[i]));
    } else {
      tell(asked[i], answer);
    }
  }
  ask(now);
}

void ColdDesk::tell(const Waiting& waiting, const wire::ColdAnswer& answer) {
  parts_.metrics.cold_took(parts_.loop.now() - waiting.since);
  parts_.bus.reply(waiting.reply, wire::encode(answer));
}

void ColdDesk::refuse(const std::string& reply, const Error& error) {
  parts_.metrics.cold_refused();
  wire::ColdAnswer answer;
  answer.error = error;
  parts_.bus.reply(reply, wire::encode(answer));
}

}  // namespace martlet::persist
