#include "store/cold.h"

#include <algorithm>
#include <set>

#include "store/cold_plan.h"
#include "store/limits.h"
#include "store/shards.h"

namespace martlet::store {
namespace {

ColdHeads find_heads(pg::Transaction& tx, const ColdQuestions& questions) {
  std::vector<std::string> names;
  for (const auto& question : questions)
    for (const auto& conversation : question.conversations) names.push_back(conversation.str());
  ColdHeads heads;
  if (names.empty()) return heads;
  const pg::Rows rows = tx.query(
      "SELECT c.name, c.id, c.last_seq, g.conversation_id IS NOT NULL, g.members_at, "
      "g.join_policy, g.members_count FROM conversations c LEFT JOIN groups g ON "
      "g.conversation_id = c.id WHERE c.name = ANY($1::text[]) AND (c.last_seq > 0 OR "
      "left(c.name, 2) <> 'g:')",
      pg::Params().texts(names));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ColdHead head;
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
ColdUsers find_users(pg::Transaction& tx, const ColdQuestions& questions, const ColdHeads& heads) {
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
  ColdUsers users;
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
std::set<ColdStay> find_frequent(pg::Transaction& tx, const ColdQuestions& questions) {
  std::vector<std::string> users, groups;
  for (const auto& question : questions) {
    for (const wire::Newcomer& newcomer : question.users) {
      users.push_back(newcomer.user.str());
      groups.push_back(newcomer.group.str());
    }
  }
  std::set<ColdStay> frequent;
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

ColdRoles find_members(pg::Transaction& tx, const std::vector<std::int64_t>& groups) {
  ColdRoles roles;
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

// The usual question: heads of one-to-one conversations, and nothing else.
bool is_usual(const wire::ColdQuestion& question) {
  const auto& asked = question.conversations;
  return question.users.empty() && question.messages.empty() &&
         std::none_of(asked.begin(), asked.end(), [](const auto& one) { return one.is_group(); });
}

// What it asks, and whether the users exist, in one statement: it has one snapshot and takes one
// way to the server and back.
pg::Result<ColdAnswers> look_up_usual(pg::Connection& connection, const ColdQuestions& questions) {
  std::set<std::string> names, users;
  for (const auto& question : questions) {
    for (const auto& conversation : question.conversations) {
      const auto [first, second] = conversation.users();
      names.insert(conversation.str());
      users.insert({first.str(), second.str()});
    }
  }
  pg::Transaction tx(connection, pg::Mode::kStatement);
  const pg::Rows rows = tx.query(
      "SELECT 0, '', watermark, base, generation, shard FROM shards UNION ALL SELECT 1, name, "
      "last_seq, id, 0, 0 FROM conversations WHERE name = ANY($1::text[]) UNION ALL SELECT 2, "
      "user_id, 0, 0, 0, 0 FROM accounts WHERE user_id = ANY($2::text[])",
      pg::Params().texts({names.begin(), names.end()}).texts({users.begin(), users.end()}));
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  ShardStates states;
  ColdFacts facts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto number = [&](int column) {
      return static_cast<std::uint64_t>(rows.number(i, column));
    };
    if (number(0) == 0) {
      states.resize(std::max<std::size_t>(states.size(), number(5) + 1));
      states[number(5)] = {LogPosition(number(2)), number(3),
                           Generation(static_cast<std::uint32_t>(number(4)))};
    } else if (number(0) == 1) {
      ColdHead& head = facts.heads[std::string(rows.text(i, 1))];
      head.last_seq = Seq(number(2));
      head.row_id = rows.number(i, 3);
    } else {
      facts.users.emplace(rows.text(i, 1), 0);
    }
  }
  return cold_answers(questions, states, facts);
}

}  // namespace

pg::Result<ColdAnswers> look_up_cold(pg::Connection& connection, const ColdQuestions& questions) {
  if (std::all_of(questions.begin(), questions.end(), is_usual))
    return look_up_usual(connection, questions);
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  const ShardStates states = load_shards(tx);
  ColdFacts facts;
  facts.heads = find_heads(tx, questions);
  facts.users = find_users(tx, questions, facts.heads);
  facts.frequent = find_frequent(tx, questions);
  ColdAnswers answers = cold_answers(questions, states, facts);
  const std::vector<std::int64_t> groups = choose_groups(questions, facts.heads, answers);
  add_members(questions, facts.heads, find_members(tx, groups), answers);
  find_messages(tx, questions, answers);
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return answers;
}

}  // namespace martlet::store
