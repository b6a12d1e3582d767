#include "store/cold_plan.h"

#include <algorithm>

#include "store/limits.h"

namespace martlet::store {
namespace {

// How many of a question's groups fit into its answer and into the query.
class Room {
 public:
  void next_answer(std::size_t items) {
    const std::size_t fixed = kMaxEnvelopeBytes + items * kColdItemBytes;
    answer_ = fixed < kMaxAnswerBytes ? (kMaxAnswerBytes - fixed) / kMemberBytes : 0;
    is_first_ = true;
  }
  // The first group of an answer always has its place there.
  bool take(std::size_t members) {
    const bool fits = members <= query_ && (is_first_ || members <= answer_);
    if (!fits) return false;
    is_first_ = false;
    query_ -= members;
    answer_ -= std::min(answer_, members);
    return true;
  }

 private:
  std::size_t query_ = kMaxColdMembers;
  std::size_t answer_ = 0;
  bool is_first_ = true;
};

wire::ConversationHead head_of(const ConversationId& conversation, const ColdHeads& heads,
                               const ColdUsers& users) {
  if (const auto head = heads.find(conversation.str()); head != heads.end())
    return {wire::HeadStatus::kKnown, head->second.last_seq, {}};
  if (conversation.is_group()) return {wire::HeadStatus::kNoSuchGroup, Seq(), {}};
  const auto [first, second] = conversation.users();
  const bool both = users.contains(first.str()) && users.contains(second.str());
  return {both ? wire::HeadStatus::kNew : wire::HeadStatus::kNoSuchUser, Seq(), {}};
}

wire::UserStatus status_of(const wire::Newcomer& newcomer, const ColdUsers& users,
                           const std::set<ColdStay>& frequent) {
  const auto found = users.find(newcomer.user.str());
  if (found == users.end()) return wire::UserStatus::kNoSuchUser;
  const bool is_full = found->second >= static_cast<std::int64_t>(kMaxGroupsPerUser);
  if (is_full) return wire::UserStatus::kTooManyGroups;
  const bool too_often = frequent.contains({newcomer.user.str(), newcomer.group.str()});
  return too_often ? wire::UserStatus::kCameTooOften : wire::UserStatus::kExists;
}

}  // namespace

ColdAnswers cold_answers(const ColdQuestions& questions, const ShardStates& states,
                         const ColdFacts& facts) {
  ColdAnswers answers(questions.size());
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const std::size_t shard = questions[i].shard.value();
    answers[i].messages.resize(questions[i].messages.size());
    if (shard >= states.size()) {
      answers[i].error = {ErrorCode::kBadRange, "no such shard"};
      continue;
    }
    answers[i].generation = states[shard].generation;
    answers[i].watermark = states[shard].watermark;
    for (const auto& conversation : questions[i].conversations)
      answers[i].heads.push_back(head_of(conversation, facts.heads, facts.users));
    for (const wire::Newcomer& newcomer : questions[i].users)
      answers[i].users.push_back(status_of(newcomer, facts.users, facts.frequent));
  }
  return answers;
}

std::vector<std::int64_t> choose_groups(const ColdQuestions& questions, const ColdHeads& heads,
                                        ColdAnswers& answers) {
  std::vector<std::int64_t> chosen;
  Room room;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    room.next_answer(questions[i].items());
    for (std::size_t k = 0; k < answers[i].heads.size(); ++k) {
      const ConversationId& conversation = questions[i].conversations[k];
      wire::ConversationHead& answer = answers[i].heads[k];
      if (!conversation.is_group() || answer.status != wire::HeadStatus::kKnown) continue;
      const ColdHead& head = heads.at(conversation.str());
      if (room.take(head.members_count)) {
        chosen.push_back(head.row_id);
      } else {
        answer = {wire::HeadStatus::kOmitted, Seq(), {}};
      }
    }
  }
  return chosen;
}

void add_members(const ColdQuestions& questions, const ColdHeads& heads, const ColdRoles& roles,
                 ColdAnswers& answers) {
  for (std::size_t i = 0; i < questions.size(); ++i) {
    for (std::size_t k = 0; k < answers[i].heads.size(); ++k) {
      const ConversationId& conversation = questions[i].conversations[k];
      wire::ConversationHead& answer = answers[i].heads[k];
      if (!conversation.is_group() || answer.status != wire::HeadStatus::kKnown) continue;
      const ColdHead& head = heads.at(conversation.str());
      const auto found = roles.find(head.row_id);
      answer.group = wire::GroupState{
          head.is_group ? head.members_at : head.last_seq,
          GroupMembers(found == roles.end() ? GroupMembers::Roles() : found->second, head.join)};
    }
  }
}

}  // namespace martlet::store
