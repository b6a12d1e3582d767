#include "store/cold.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "store/limits.h"
#include "store/shards.h"

namespace martlet::store {
namespace {

struct Head {
  std::int64_t row_id = 0;
  Seq last_seq;
  // Groups only.
  bool is_group = false;  // has a row of groups
  Seq members_at;
  JoinPolicy join = JoinPolicy::kInvited;
  std::size_t members_count = 0;
};
using Heads = std::unordered_map<std::string, Head>;  // by conversation
using Roles = std::unordered_map<std::int64_t, GroupMembers::Roles>;
using Groups = std::unordered_map<std::string, std::int64_t>;  // user -> how many they are in
using Stay = std::pair<std::string, std::string>;              // user, group

Heads find_heads(pg::Transaction& tx, const ColdQuestions& questions) {
  std::vector<std::string> names;
  for (const auto& question : questions)
    for (const auto& conversation : question.conversations) names.push_back(conversation.str());
  Heads heads;
  if (names.empty()) return heads;
  const pg::Rows rows = tx.query(
      "SELECT c.name, c.id, c.last_seq, g.conversation_id IS NOT NULL, g.members_at, "
      "g.join_policy, g.members_count FROM conversations c LEFT JOIN groups g ON "
      "g.conversation_id = c.id WHERE c.name = ANY($1::text[]) AND (c.last_seq > 0 OR "
      "left(c.name, 2) <> 'g:')",
      pg::Params().texts(names));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Head head;
    head.row_id = rows.number(i, 1);
    head.last_seq = Seq(static_cast<std::uint64_t>(rows.number(i, 2)));
    head.is_group = rows.truth(i, 3);
    head.members_at = Seq(static_cast<std::uint64_t>(rows.number(i, 4)));
    head.join = static_cast<JoinPolicy>(rows.number(i, 5));
    head.members_count = static_cast<std::size_t>(rows.number(i, 6));
    heads.emplace(rows.text(i, 0), head);
  }
  return heads;
}

// Users of whom it matters whether they exist: of conversations without a head, and those named.
Groups find_users(pg::Transaction& tx, const ColdQuestions& questions, const Heads& heads) {
  std::vector<std::string> wanted;
  for (const auto& question : questions) {
    for (const auto& conversation : question.conversations) {
      if (conversation.is_group() || heads.contains(conversation.str())) continue;
      const auto [first, second] = conversation.users();
      wanted.push_back(first.str());
      wanted.push_back(second.str());
    }
  }
  std::vector<std::string> named;
  for (const auto& question : questions)
    for (const wire::Newcomer& newcomer : question.users) named.push_back(newcomer.user.str());
  Groups users;
  if (wanted.empty() && named.empty()) return users;
  const pg::Rows rows = tx.query(
      "SELECT a.user_id, 0::bigint FROM accounts a WHERE a.user_id = ANY($1::text[]) UNION ALL "
      "SELECT a.user_id, (SELECT count(*) FROM (SELECT 1 FROM memberships m WHERE m.user_id = "
      "a.user_id AND m.to_seq IS NULL LIMIT $3::bigint) x) FROM accounts a WHERE a.user_id = "
      "ANY($2::text[])",
      pg::Params().texts(wanted).texts(named).number(static_cast<std::int64_t>(kMaxGroupsPerUser)));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::int64_t& count = users[std::string(rows.text(i, 0))];
    count = std::max(count, rows.number(i, 1));
  }
  return users;
}

// The newcomers who were in the group as often as one may.
std::set<Stay> find_frequent(pg::Transaction& tx, const ColdQuestions& questions) {
  std::vector<std::string> users, groups;
  for (const auto& question : questions) {
    for (const wire::Newcomer& newcomer : question.users) {
      users.push_back(newcomer.user.str());
      groups.push_back(newcomer.group.str());
    }
  }
  std::set<Stay> frequent;
  if (users.empty()) return frequent;
  const pg::Rows rows = tx.query(
      "SELECT t.user_id, t.group_id FROM unnest($1::text[], $2::text[]) AS t(user_id, group_id) "
      "JOIN conversations c ON c.name = 'g:' || t.group_id COLLATE \"C\" CROSS JOIN LATERAL "
      "(SELECT "
      "m.stay FROM memberships m WHERE m.conversation_id = c.id AND m.user_id = t.user_id COLLATE "
      "\"C\" ORDER BY m.joined_seq DESC LIMIT 1) s WHERE s.stay >= $3::bigint",
      pg::Params().texts(users).texts(groups).number(
          static_cast<std::int64_t>(kMaxStaysPerMember)));
  for (std::size_t i = 0; i < rows.size(); ++i) frequent.emplace(rows.text(i, 0), rows.text(i, 1));
  return frequent;
}

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

Roles find_members(pg::Transaction& tx, const std::vector<std::int64_t>& groups) {
  Roles roles;
  if (groups.empty()) return roles;
  const pg::Rows rows = tx.query(
      "SELECT conversation_id, user_id, role FROM memberships WHERE conversation_id = "
      "ANY($1::bigint[]) AND to_seq IS NULL",
      pg::Params().numbers(groups));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    roles[rows.number(i, 0)].emplace(UserId::trusted(rows.text(i, 1)),
                                     static_cast<GroupRole>(rows.number(i, 2)));
  }
  return roles;
}

wire::ConversationHead head_of(const ConversationId& conversation, const Heads& heads,
                               const Groups& users) {
  if (const auto head = heads.find(conversation.str()); head != heads.end())
    return {wire::HeadStatus::kKnown, head->second.last_seq, {}};
  if (conversation.is_group()) return {wire::HeadStatus::kNoSuchGroup, Seq(), {}};
  const auto [first, second] = conversation.users();
  const bool both = users.contains(first.str()) && users.contains(second.str());
  return {both ? wire::HeadStatus::kNew : wire::HeadStatus::kNoSuchUser, Seq(), {}};
}

// Which groups are answered with their members; the others, as far as they exist, are omitted.
std::vector<std::int64_t> choose_groups(const ColdQuestions& questions, const Heads& heads,
                                        ColdAnswers& answers) {
  std::vector<std::int64_t> chosen;
  Room room;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    room.next_answer(questions[i].items());
    for (std::size_t k = 0; k < answers[i].heads.size(); ++k) {
      const ConversationId& conversation = questions[i].conversations[k];
      wire::ConversationHead& answer = answers[i].heads[k];
      if (!conversation.is_group() || answer.status != wire::HeadStatus::kKnown) continue;
      const Head& head = heads.at(conversation.str());
      if (room.take(head.members_count)) {
        chosen.push_back(head.row_id);
      } else {
        answer = {wire::HeadStatus::kOmitted, Seq(), {}};
      }
    }
  }
  return chosen;
}

// One without a row of groups lost its creation to dead_entries: nobody is in it, its id is taken.
void add_members(const ColdQuestions& questions, const Heads& heads, const Roles& roles,
                 ColdAnswers& answers) {
  for (std::size_t i = 0; i < questions.size(); ++i) {
    for (std::size_t k = 0; k < answers[i].heads.size(); ++k) {
      const ConversationId& conversation = questions[i].conversations[k];
      wire::ConversationHead& answer = answers[i].heads[k];
      if (!conversation.is_group() || answer.status != wire::HeadStatus::kKnown) continue;
      const Head& head = heads.at(conversation.str());
      const auto found = roles.find(head.row_id);
      answer.group = wire::GroupState{
          head.is_group ? head.members_at : head.last_seq,
          GroupMembers(found == roles.end() ? GroupMembers::Roles() : found->second, head.join)};
    }
  }
}

wire::UserStatus status_of(const wire::Newcomer& newcomer, const Groups& users,
                           const std::set<Stay>& frequent) {
  const auto found = users.find(newcomer.user.str());
  if (found == users.end()) return wire::UserStatus::kNoSuchUser;
  const bool is_full = found->second >= static_cast<std::int64_t>(kMaxGroupsPerUser);
  if (is_full) return wire::UserStatus::kTooManyGroups;
  const bool too_often = frequent.contains({newcomer.user.str(), newcomer.group.str()});
  return too_often ? wire::UserStatus::kCameTooOften : wire::UserStatus::kExists;
}

// Fills the answers' messages, which have their size already.
void find_messages(pg::Transaction& tx, const ColdQuestions& questions, ColdAnswers& answers) {
  std::vector<std::string> names, ids, senders;
  std::vector<wire::StoredMessage*> places;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    for (std::size_t k = 0; k < questions[i].messages.size(); ++k) {
      const wire::MessageKey& key = questions[i].messages[k];
      names.push_back(key.conversation.str());
      ids.push_back(to_string(key.client_msg_id));
      senders.push_back(key.sender.str());
      places.push_back(&answers[i].messages[k]);
    }
  }
  if (places.empty()) return;
  const pg::Rows rows = tx.query(
      "SELECT t.i, m.seq, m.message_id, m.time_ms, m.content_hash FROM unnest($1::text[], "
      "$2::uuid[], $3::text[]) WITH ORDINALITY AS t(name, client_msg_id, sender, i) JOIN "
      "conversations c ON c.name = t.name JOIN messages m ON m.conversation_id = c.id AND "
      "m.client_msg_id = t.client_msg_id AND m.sender = t.sender",
      pg::Params().texts(names).texts(ids).texts(senders));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto number = [&](int column) {
      return static_cast<std::uint64_t>(rows.number(row, column));
    };
    *places[number(0) - 1] = {true, Seq(number(1)), MessageId(number(2)), number(3), number(4)};
  }
}

}  // namespace

pg::Result<ColdAnswers> look_up_cold(pg::Connection& connection, const ColdQuestions& questions) {
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  const ShardStates states = load_shards(tx);
  const Heads heads = find_heads(tx, questions);
  const Groups users = find_users(tx, questions, heads);
  const std::set<Stay> frequent = find_frequent(tx, questions);
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
      answers[i].heads.push_back(head_of(conversation, heads, users));
    for (const wire::Newcomer& newcomer : questions[i].users)
      answers[i].users.push_back(status_of(newcomer, users, frequent));
  }
  const Roles roles = find_members(tx, choose_groups(questions, heads, answers));
  add_members(questions, heads, roles, answers);
  find_messages(tx, questions, answers);
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return answers;
}

}  // namespace martlet::store
