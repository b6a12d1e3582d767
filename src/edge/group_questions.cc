#include "edge/group_questions.h"

#include <utility>

#include "base/log.h"
#include "bus/subjects.h"

namespace martlet::edge {
namespace {

Result<wire::GroupsAnswer> read_answer(const Result<Bytes>& reply) {
  if (!reply) return tl::unexpected(reply.error());
  auto answer = wire::parse_groups_answer(*reply);
  if (!answer) {
    MARTLET_LOG(error, "groups_answer_malformed detail={}", answer.error().detail);
    return answer;
  }
  if (answer->error.code != ErrorCode::kNone) return tl::unexpected(answer->error);
  return answer;
}

}  // namespace

void GroupQuestions::ask(const wire::GroupsQuestion& question, Answered answered) {
  Waiting waiting{wire::encode(question), std::move(answered)};
  if (under_way_ < options_.max_under_way) return send(std::move(waiting));
  if (waiting_.size() >= options_.max_waiting) {
    return waiting.answered(fail(ErrorCode::kBusy, "too many questions about groups"));
  }
  waiting_.push_back(std::move(waiting));
}

void GroupQuestions::send(Waiting waiting) {
  ++under_way_;
  ++asked_;
  bus_.request(bus::subject::rpc_groups(), waiting.question, options_.timeout,
               [this, answered = std::move(waiting.answered),
                alive = std::weak_ptr(alive_)](const Result<Bytes>& reply) {
                 if (!alive.expired()) on_reply(answered, reply);
               });
}

void GroupQuestions::on_reply(const Answered& answered, const Result<Bytes>& reply) {
  --under_way_;
  if (!waiting_.empty()) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    send(std::move(next));
  }
  answered(read_answer(reply));
}

}  // namespace martlet::edge
