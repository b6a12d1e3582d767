#include "persist/groups_desk.h"

#include "base/assert.h"
#include "persist/limits.h"
#include "store/limits.h"

namespace martlet::persist {

// One question on its way; a stop waits for it. Let go without an answer, the edge's deadline
// answers.
class GroupsDesk::Call {
 public:
  Call(const Parts& parts, std::string reply, wire::GroupsQuestion question)
      : question(std::move(question)),
        parts_(parts),
        reply_(std::move(reply)),
        since_(parts.loop.now()) {
    ++parts_.open.count;
  }
  ~Call() { --parts_.open.count; }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  void answer(const wire::GroupsAnswer& answer) const {
    const Bytes bytes = wire::encode(answer);
    MARTLET_ASSERT(bytes.size() <= kMaxAnswerBytes);
    parts_.bus.reply(reply_, bytes);
    parts_.metrics.groups_took(parts_.loop.now() - since_);
  }
  void refuse(const Error& error) const {
    parts_.metrics.groups_refused();
    wire::GroupsAnswer refusal;
    refusal.error = error;
    answer(refusal);
  }

  const wire::GroupsQuestion question;

 private:
  const Parts parts_;
  const std::string reply_;
  const MonotonicTime since_;
};

void GroupsDesk::handle(const bus::Incoming& message) {
  auto question = wire::parse_groups_question(message.payload);
  if (!question || message.reply.empty()) return parts_.metrics.malformed();
  parts_.metrics.groups_asked();
  const auto call =
      std::make_shared<Call>(parts_, std::string(message.reply), std::move(*question));
  if (call->question.users.size() > kMaxUsersPerGroupQuestion)
    return call->refuse({ErrorCode::kBadRange, "too many users in one question"});
  std::vector<ShardId> shards;
  if (!call->question.group.empty())
    shards = {shard_of(ConversationId::of_group(call->question.group), parts_.shards)};
  const MonotonicTime started = parts_.loop.now();
  const bool taken =
      parts_.barrier.add(std::move(shards), started, [this, call, started](bool behind) {
        parts_.metrics.barrier_took(parts_.loop.now() - started, behind);
        ask(call, behind);
      });
  if (!taken)
    call->refuse({ErrorCode::kBusy, "too many requests wait for the database", kBusyRetryMs});
}

void GroupsDesk::ask(const std::shared_ptr<Call>& call, bool behind) {
  parts_.store.find_memberships(call->question,
                                [call, behind](const Result<wire::GroupsAnswer>& found) {
                                  if (!found) return call->refuse(found.error());
                                  wire::GroupsAnswer answer = *found;
                                  answer.behind = answer.behind || behind;
                                  answer.again_in_ms = answer.behind ? kAgainInMs : 0;
                                  call->answer(answer);
                                });
}

}  // namespace martlet::persist
