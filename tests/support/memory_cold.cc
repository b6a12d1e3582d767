#include <algorithm>

#include "model/limits.h"
#include "store/cold_plan.h"
#include "support/memory_reads.h"

namespace martlet::test {
namespace {

store::ColdHeads find_heads(const Tables& tables, const store::ColdQuestions& questions) {
  store::ColdHeads heads;
  for (const auto& question : questions) {
    for (const auto& conversation : question.conversations) {
      const ConversationTable* table = tables.find(conversation.str());
      if (table == nullptr) continue;
      if (conversation.is_group() && table->head.last_seq <= 0) continue;
      store::ColdHead head;
      head.row_id = table->id;
      head.last_seq = Seq(static_cast<std::uint64_t>(table->head.last_seq));
      head.is_group = table->group.has_value();
      if (table->group) {
        head.members_at = Seq(static_cast<std::uint64_t>(table->group->members_at));
        head.join = table->group->join;
        head.members_count = static_cast<std::size_t>(table->group->members_count);
      }
      heads.emplace(conversation.str(), head);
    }
  }
  return heads;
}

store::ColdUsers find_users(const Tables& tables, const store::ColdQuestions& questions,
                            const store::ColdHeads& heads) {
  store::ColdUsers users;
  const auto add = [&](const std::string& user, std::size_t groups) {
    if (!tables.accounts.contains(user)) return;
    std::int64_t& count = users[user];
    count = std::max(count, static_cast<std::int64_t>(groups));
  };
  for (const auto& question : questions) {
    for (const auto& conversation : question.conversations) {
      if (conversation.is_group() || heads.contains(conversation.str())) continue;
      const auto [first, second] = conversation.users();
      add(first.str(), 0);
      add(second.str(), 0);
    }
    for (const wire::Newcomer& newcomer : question.users)
      add(newcomer.user.str(), groups_of(tables, newcomer.user.str(), kMaxGroupsPerUser).size());
  }
  return users;
}

// Newcomers who were in the group as often as one may.
std::set<store::ColdStay> find_frequent(const Tables& tables,
                                        const store::ColdQuestions& questions) {
  std::set<store::ColdStay> frequent;
  for (const auto& question : questions) {
    for (const wire::Newcomer& newcomer : question.users) {
      const ConversationTable* table = tables.find(ConversationId::of_group(newcomer.group).str());
      const StayRow* stay = table == nullptr ? nullptr : table->newest_stay(newcomer.user.str());
      if (stay != nullptr && stay->stay >= static_cast<std::int64_t>(kMaxStaysPerMember))
        frequent.emplace(newcomer.user.str(), newcomer.group.str());
    }
  }
  return frequent;
}

store::ColdRoles find_members(const Tables& tables, const std::vector<std::int64_t>& groups) {
  store::ColdRoles roles;
  for (const std::int64_t group : groups) {
    const ConversationTable& table = *tables.rows.at(group);
    for (const auto& [user, stays] : table.stays) {
      const StayRow* stay = table.current_stay(user);
      if (stay != nullptr) roles[group].emplace(UserId::trusted(user), stay->role);
    }
  }
  return roles;
}

wire::StoredMessage find_message(const Tables& tables, const wire::MessageKey& key) {
  const ConversationTable* table = tables.find(key.conversation.str());
  if (table == nullptr) return {};
  const auto found = table->once.find({key.client_msg_id, key.sender.str()});
  if (found == table->once.end()) return {};
  const MessageRow& row = table->messages.at(found->second);
  return {true, Seq(static_cast<std::uint64_t>(row.seq)), row.message_id, row.time_ms,
          row.content_hash};
}

}  // namespace

store::ColdAnswers cold_of_tables(const Tables& tables, const store::ColdQuestions& questions) {
  store::ColdFacts facts;
  facts.heads = find_heads(tables, questions);
  facts.users = find_users(tables, questions, facts.heads);
  facts.frequent = find_frequent(tables, questions);
  store::ColdAnswers answers = store::cold_answers(questions, tables.shards, facts);
  const std::vector<std::int64_t> groups = store::choose_groups(questions, facts.heads, answers);
  store::add_members(questions, facts.heads, find_members(tables, groups), answers);
  for (std::size_t i = 0; i < questions.size(); ++i)
    for (std::size_t k = 0; k < questions[i].messages.size(); ++k)
      answers[i].messages[k] = find_message(tables, questions[i].messages[k]);
  return answers;
}

}  // namespace martlet::test
