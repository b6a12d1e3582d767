#include "store/cold.h"

#include <unordered_map>
#include <unordered_set>

#include "store/shards.h"

namespace martlet::store {
namespace {

using Heads = std::unordered_map<std::string, std::int64_t>;  // conversation -> last seq
using Names = std::unordered_set<std::string>;

Heads find_heads(pg::Transaction& tx, const ColdQuestions& questions) {
  std::vector<std::string> names;
  for (const auto& question : questions)
    for (const auto& conversation : question.conversations) names.push_back(conversation.str());
  Heads heads;
  if (names.empty()) return heads;
  const pg::Rows rows =
      tx.query("SELECT name, last_seq FROM conversations WHERE name = ANY($1::text[])",
               pg::Params().texts(names));
  for (std::size_t i = 0; i < rows.size(); ++i) heads.emplace(rows.text(i, 0), rows.number(i, 1));
  return heads;
}

// Those users of conversations without a head that exist.
Names find_users(pg::Transaction& tx, const ColdQuestions& questions, const Heads& heads) {
  std::vector<std::string> wanted;
  for (const auto& question : questions) {
    for (const auto& conversation : question.conversations) {
      if (conversation.is_group() || heads.contains(conversation.str())) continue;
      const auto [first, second] = conversation.users();
      wanted.push_back(first.str());
      wanted.push_back(second.str());
    }
  }
  Names users;
  if (wanted.empty()) return users;
  const pg::Rows rows = tx.query("SELECT user_id FROM accounts WHERE user_id = ANY($1::text[])",
                                 pg::Params().texts(wanted));
  for (std::size_t i = 0; i < rows.size(); ++i) users.emplace(rows.text(i, 0));
  return users;
}

wire::ConversationHead head_of(const ConversationId& conversation, const Heads& heads,
                               const Names& users) {
  if (const auto head = heads.find(conversation.str()); head != heads.end())
    return {wire::HeadStatus::kKnown, Seq(static_cast<std::uint64_t>(head->second))};
  if (conversation.is_group()) return {wire::HeadStatus::kNoSuchUser, Seq()};
  const auto [first, second] = conversation.users();
  const bool both = users.contains(first.str()) && users.contains(second.str());
  return {both ? wire::HeadStatus::kNew : wire::HeadStatus::kNoSuchUser, Seq()};
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
  const Names users = find_users(tx, questions, heads);
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
  }
  find_messages(tx, questions, answers);
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return answers;
}

}  // namespace martlet::store
