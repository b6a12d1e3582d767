#include "store/apply_rows.h"

#include "store/signed.h"

namespace martlet::store {

// A cursor may be set in a conversation of another shard whose first message is not stored yet. Its
// row is made here, in a transaction of its own and in order of names, so that two shards never
// wait for each other. Only users who exist have conversations; a group without a message is none.
void ensure_read_conversations(pg::Connection& connection, const ApplyPlan& plan,
                               std::uint16_t shards) {
  std::vector<std::string> names, first, second;
  std::vector<std::int64_t> numbers;
  for (const auto& [key, change] : plan.reads()) {
    const auto conversation = ConversationId::trusted(key.second);
    const UserId reader = UserId::trusted(key.first);
    const auto users = conversation.is_group() ? std::pair(reader, reader) : conversation.users();
    names.push_back(key.second);
    first.push_back(users.first.str());
    second.push_back(users.second.str());
    numbers.push_back(shard_of(conversation, shards).value());
  }
  if (names.empty()) return;
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  tx.query(
      "INSERT INTO conversations (name, shard) SELECT DISTINCT t.name COLLATE \"C\", t.shard FROM "
      "unnest($1::text[], $2::integer[], $3::text[], $4::text[]) AS t(name, shard, first, second) "
      "WHERE NOT EXISTS (SELECT 1 FROM conversations c WHERE c.name = t.name) AND EXISTS (SELECT 1 "
      "FROM accounts a WHERE a.user_id = t.first) AND EXISTS (SELECT 1 FROM accounts a WHERE "
      "a.user_id = t.second) ORDER BY 1 ON CONFLICT (name) DO NOTHING",
      pg::Params().texts(names).numbers(numbers).texts(first).texts(second));
  // A failure shows again in the transaction that matters.
  (void)tx.commit();
}

RowIds write_conversations(pg::Transaction& tx, const ApplyPlan& plan) {
  std::vector<std::string> names;
  std::vector<std::int64_t> shards, seqs, positions, first, second;
  for (const auto& [name, change] : plan.conversations()) {
    names.push_back(name);
    shards.push_back(change.shard.value());
    seqs.push_back(as_signed(change.last_seq));
    positions.push_back(as_signed(change.last_position));
    first.push_back(as_signed(change.sent_first));
    second.push_back(as_signed(change.sent_second));
  }
  RowIds ids;
  if (names.empty()) return ids;
  const pg::Rows rows = tx.query(
      "INSERT INTO conversations AS c (name, shard, last_seq, last_position, sent_first, "
      "sent_second) SELECT t.name, t.shard, t.seq, t.position, t.first, t.second FROM "
      "unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) "
      "AS "
      "t(name, shard, seq, position, first, second) ORDER BY t.name COLLATE \"C\" ON CONFLICT "
      "(name) DO UPDATE SET "
      "last_seq = greatest(c.last_seq, excluded.last_seq), last_position = "
      "greatest(c.last_position, excluded.last_position), sent_first = greatest(c.sent_first, "
      "excluded.sent_first), sent_second = greatest(c.sent_second, excluded.sent_second) RETURNING "
      "name, id",
      pg::Params()
          .texts(names)
          .numbers(shards)
          .numbers(seqs)
          .numbers(positions)
          .numbers(first)
          .numbers(second));
  for (std::size_t i = 0; i < rows.size(); ++i) ids.emplace(rows.text(i, 0), rows.number(i, 1));
  return ids;
}

void write_members(pg::Transaction& tx, const ApplyPlan& plan, const RowIds& ids,
                   const GroupPlan& groups) {
  std::vector<std::string> users;
  std::vector<std::int64_t> conversations;
  for (const auto& [name, change] : plan.conversations()) {
    const auto conversation = ConversationId::trusted(name);
    if (!change.begins || conversation.is_group()) continue;
    const auto [first, second] = conversation.users();
    for (const UserId& user : {first, second}) {
      users.push_back(user.str());
      conversations.push_back(ids.at(name));
    }
  }
  for (const GroupPlan::Stay& stay : groups.begun()) {
    users.push_back(stay.user);
    conversations.push_back(stay.group);
  }
  if (users.empty()) return;
  tx.query(
      "INSERT INTO members (user_id, conversation_id) SELECT DISTINCT t.user_id COLLATE \"C\", "
      "t.conversation_id FROM unnest($1::text[], $2::bigint[]) AS t(user_id, conversation_id) "
      "ORDER BY 1, 2 ON CONFLICT (user_id, conversation_id) DO NOTHING",
      pg::Params().texts(users).numbers(conversations));
}

void write_messages(pg::Transaction& tx, const std::vector<ApplyPlan::MessageRow>& messages,
                    const RowIds& ids) {
  if (messages.empty()) return;
  auto next = messages.begin();
  tx.copy_in("messages",
             "conversation_id,seq,message_id,time_ms,position,content_hash,client_msg_id,"
             "generation,sender,content",
             [&](std::vector<std::string>& fields) {
               if (next == messages.end()) return false;
               const wire::Entry& entry = *next->entry;
               fields.clear();
               fields.push_back(std::to_string(ids.find(entry.conversation.str())->second));
               fields.push_back(std::to_string(entry.seq.value()));
               fields.push_back(std::to_string(as_signed(entry.message_id.value())));
               fields.push_back(std::to_string(as_signed(entry.time_ms)));
               fields.push_back(std::to_string(next->place.position.value()));
               fields.push_back(std::to_string(as_signed(entry.content_hash)));
               fields.push_back(to_string(entry.client_msg_id));
               fields.push_back(std::to_string(next->place.batch->generation.value()));
               fields.push_back(entry.sender.str());
               fields.push_back(pg::bytea_text(entry.content));
               ++next;
               return true;
             });
}

void write_reads(pg::Transaction& tx, const ApplyPlan& plan) {
  std::vector<std::string> users, names;
  std::vector<std::int64_t> seqs, positions, shards;
  for (const auto& [key, change] : plan.reads()) {
    users.push_back(key.first);
    names.push_back(key.second);
    seqs.push_back(as_signed(change.seq));
    positions.push_back(as_signed(change.position));
    shards.push_back(change.shard.value());
  }
  if (users.empty()) return;
  tx.query(
      "INSERT INTO members AS m (user_id, conversation_id, read_seq, read_position, read_shard) "
      "SELECT t.user_id, c.id, t.seq, t.position, t.shard FROM unnest($1::text[], $2::text[], "
      "$3::bigint[], $4::bigint[], $5::integer[]) AS t(user_id, name, seq, position, shard) JOIN "
      "conversations c ON c.name = t.name ORDER BY t.user_id COLLATE \"C\", c.id ON CONFLICT "
      "(user_id, "
      "conversation_id) DO UPDATE SET read_seq = excluded.read_seq, read_position = "
      "excluded.read_position, read_shard = excluded.read_shard WHERE m.read_seq < "
      "excluded.read_seq",
      pg::Params().texts(users).texts(names).numbers(seqs).numbers(positions).numbers(shards));
}

}  // namespace martlet::store
