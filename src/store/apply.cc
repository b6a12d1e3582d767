#include "store/apply.h"

#include <algorithm>

#include "base/assert.h"
#include "base/random.h"
#include "store/apply_plan.h"
#include "store/signed.h"
#include "wire/log_batch.h"

namespace martlet::store {
namespace {

// A message of a sender is in its conversation once. A client that lies about the age of a repeat
// can get it past the dispatcher, but no further: docs/adr/0011-repeats-at-the-store.md.
constexpr std::string_view kOnceIndex = "messages_once";

struct ParsedBatch {
  LogPosition position;
  const Bytes* bytes;
  Result<wire::Batch> batch;
};

std::vector<ParsedBatch> parse(const std::vector<LoggedBatch>& logged) {
  std::vector<ParsedBatch> parsed;
  parsed.reserve(logged.size());
  for (const LoggedBatch& one : logged)
    parsed.push_back({one.position, &one.bytes, wire::parse_batch(one.bytes)});
  return parsed;
}

// True if the row is as expected; it stays locked until the transaction ends.
bool lock_shard(pg::Transaction& tx, const ApplyRequest& request) {
  const pg::Rows rows =
      tx.query("SELECT watermark, base, generation FROM shards WHERE shard = $1 FOR UPDATE",
               pg::Params().number(request.shard.value()));
  if (!tx.ok() || rows.size() != 1) return false;
  const ShardState& expected = request.expected;
  return rows.number(0, 0) == as_signed(expected.watermark.value()) &&
         rows.number(0, 1) == as_signed(expected.base) &&
         rows.number(0, 2) == expected.generation.value();
}

void move_watermark(pg::Transaction& tx, ShardId shard, LogPosition watermark) {
  tx.query("UPDATE shards SET watermark = $2 WHERE shard = $1",
           pg::Params().number(shard.value()).number(as_signed(watermark.value())));
}

// A cursor may be set in a conversation of another shard whose first message is not stored yet. Its
// row is made here, in a transaction of its own and in order of names, so that two shards never
// wait for each other. Only users who exist have conversations.
void ensure_read_conversations(pg::Connection& connection, const ApplyPlan& plan,
                               std::uint16_t shards) {
  std::vector<std::string> names, first, second;
  std::vector<std::int64_t> numbers;
  for (const auto& [key, change] : plan.reads()) {
    const auto conversation = ConversationId::trusted(key.second);
    if (conversation.is_group()) continue;
    const auto users = conversation.users();
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

using RowIds = std::map<std::string, std::int64_t, std::less<>>;

RowIds write_conversations(pg::Transaction& tx, ShardId shard, const ApplyPlan& plan) {
  std::vector<std::string> names;
  std::vector<std::int64_t> seqs, positions, first, second;
  for (const auto& [name, change] : plan.conversations()) {
    names.push_back(name);
    seqs.push_back(as_signed(change.last_seq));
    positions.push_back(as_signed(change.last_position));
    first.push_back(as_signed(change.sent_first));
    second.push_back(as_signed(change.sent_second));
  }
  RowIds ids;
  if (names.empty()) return ids;
  const pg::Rows rows = tx.query(
      "INSERT INTO conversations AS c (name, shard, last_seq, last_position, sent_first, "
      "sent_second) SELECT t.name, $1::integer, t.seq, t.position, t.first, t.second FROM "
      "unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) AS t(name, seq, "
      "position, first, second) ORDER BY t.name COLLATE \"C\" ON CONFLICT (name) DO UPDATE SET "
      "last_seq = greatest(c.last_seq, excluded.last_seq), last_position = "
      "greatest(c.last_position, excluded.last_position), sent_first = greatest(c.sent_first, "
      "excluded.sent_first), sent_second = greatest(c.sent_second, excluded.sent_second) RETURNING "
      "name, id",
      pg::Params()
          .number(shard.value())
          .texts(names)
          .numbers(seqs)
          .numbers(positions)
          .numbers(first)
          .numbers(second));
  for (std::size_t i = 0; i < rows.size(); ++i) ids.emplace(rows.text(i, 0), rows.number(i, 1));
  return ids;
}

void write_members(pg::Transaction& tx, const ApplyPlan& plan, const RowIds& ids) {
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
  if (users.empty()) return;
  tx.query(
      "INSERT INTO members (user_id, conversation_id) SELECT t.user_id, t.conversation_id FROM "
      "unnest($1::text[], $2::bigint[]) AS t(user_id, conversation_id) ORDER BY t.user_id COLLATE "
      "\"C\", t.conversation_id ON CONFLICT (user_id, conversation_id) DO NOTHING",
      pg::Params().texts(users).numbers(conversations));
}

// The order of the columns: content first, libpqxx 6 copies what follows a field again and again.
void write_messages(pg::Transaction& tx, const ApplyPlan& plan, const RowIds& ids) {
  if (plan.messages().empty()) return;
  auto next = plan.messages().begin();
  tx.copy_in("messages",
             "content,conversation_id,seq,message_id,time_ms,position,content_hash,client_msg_id,"
             "generation,sender",
             [&](std::vector<std::string>& fields) {
               if (next == plan.messages().end()) return false;
               const wire::Entry& entry = *next->entry;
               fields = {pg::bytea_text(entry.content),
                         std::to_string(ids.find(entry.conversation.str())->second),
                         std::to_string(entry.seq.value()),
                         std::to_string(as_signed(entry.message_id.value())),
                         std::to_string(as_signed(entry.time_ms)),
                         std::to_string(next->position.value()),
                         std::to_string(as_signed(entry.content_hash)),
                         to_string(entry.client_msg_id),
                         std::to_string(next->generation.value()),
                         entry.sender.str()};
               ++next;
               return true;
             });
}

void write_reads(pg::Transaction& tx, ShardId shard, const ApplyPlan& plan) {
  std::vector<std::string> users, names;
  std::vector<std::int64_t> seqs, positions;
  for (const auto& [key, change] : plan.reads()) {
    users.push_back(key.first);
    names.push_back(key.second);
    seqs.push_back(as_signed(change.seq));
    positions.push_back(as_signed(change.position));
  }
  if (users.empty()) return;
  tx.query(
      "INSERT INTO members AS m (user_id, conversation_id, read_seq, read_position, read_shard) "
      "SELECT t.user_id, c.id, t.seq, t.position, $1::integer FROM unnest($2::text[], $3::text[], "
      "$4::bigint[], $5::bigint[]) AS t(user_id, name, seq, position) JOIN conversations c ON "
      "c.name = t.name ORDER BY t.user_id COLLATE \"C\", c.id ON CONFLICT (user_id, "
      "conversation_id) DO UPDATE SET read_seq = excluded.read_seq, read_position = "
      "excluded.read_position, read_shard = excluded.read_shard WHERE m.read_seq < "
      "excluded.read_seq",
      pg::Params()
          .number(shard.value())
          .texts(users)
          .texts(names)
          .numbers(seqs)
          .numbers(positions));
}

void write_plan(pg::Transaction& tx, ShardId shard, const ApplyPlan& plan) {
  const RowIds ids = write_conversations(tx, shard, plan);
  if (!tx.ok()) return;
  write_members(tx, plan, ids);
  write_messages(tx, plan, ids);
  write_reads(tx, shard, plan);
}

// The place of a message that can't be stored: its seq and its client_msg_id stay taken.
void write_tombstone(pg::Transaction& tx, ShardId shard, const wire::Entry& entry,
                     LogPosition position, Generation generation) {
  ApplyPlan plan;
  plan.add(entry, position, generation);
  const RowIds ids = write_conversations(tx, shard, plan);
  if (!tx.ok()) return;
  write_members(tx, plan, ids);
  tx.query(
      "INSERT INTO messages (conversation_id, seq, message_id, time_ms, position, content_hash, "
      "client_msg_id, generation, sender) VALUES ($1, $2, $3, $4, $5, $6, $7::uuid, $8, $9)",
      pg::Params()
          .number(ids.at(entry.conversation.str()))
          .number(as_signed(entry.seq.value()))
          .number(as_signed(entry.message_id.value()))
          .number(as_signed(entry.time_ms))
          .number(as_signed(position.value()))
          .number(as_signed(entry.content_hash))
          .text(to_string(entry.client_msg_id))
          .number(generation.value())
          .text(entry.sender.str()));
}

// entry_index -1: the whole batch, which could not be read.
void keep_dead(pg::Transaction& tx, ShardId shard, LogPosition position, int entry_index,
               const pg::Error& why, BytesView bytes) {
  tx.query(
      "INSERT INTO dead_entries (shard, position, entry_index, sqlstate, reason, entry) VALUES "
      "($1, $2, $3, $4, $5, $6)",
      pg::Params()
          .number(shard.value())
          .number(as_signed(position.value()))
          .number(entry_index)
          .text(why.sqlstate)
          .text(why.message)
          .bytes(bytes));
}

void keep_unreadable(pg::Transaction& tx, ShardId shard, const ParsedBatch& parsed) {
  keep_dead(tx, shard, parsed.position, -1,
            {pg::Failure::kContent, "PARSE", parsed.batch.error().detail}, *parsed.bytes);
}

ApplyResult failed(const pg::Error& error) {
  ApplyResult result;
  result.detail = error.sqlstate + " " + error.message;
  if (error.is_unique_violation() && !error.violates(kOnceIndex)) {
    result.outcome = ApplyOutcome::kDuplicate;
  } else if (error.failure == pg::Failure::kContent) {
    result.outcome = ApplyOutcome::kRefused;
  } else if (error.failure == pg::Failure::kUnknown) {
    result.outcome = ApplyOutcome::kUnknown;
  } else {
    result.outcome = ApplyOutcome::kRetry;
  }
  return result;
}

// The usual way: all batches in one go.
ApplyResult apply_all(pg::Connection& connection, const ApplyRequest& request,
                      const std::vector<ParsedBatch>& batches, std::uint16_t shards) {
  ApplyPlan plan;
  ApplyResult result;
  for (const ParsedBatch& parsed : batches) {
    if (!parsed.batch) continue;
    for (const wire::Entry& entry : parsed.batch->entries)
      plan.add(entry, parsed.position, parsed.batch->generation);
  }
  ensure_read_conversations(connection, plan, shards);
  if (!connection.is_usable()) return {ApplyOutcome::kRetry, "connection lost"};

  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  if (!lock_shard(tx, request)) {
    return tx.ok() ? ApplyResult{ApplyOutcome::kFenced, "the shard's row has changed"}
                   : failed(tx.error());
  }
  write_plan(tx, request.shard, plan);
  for (const ParsedBatch& parsed : batches) {
    if (parsed.batch) continue;
    keep_unreadable(tx, request.shard, parsed);
    ++result.dead;
  }
  move_watermark(tx, request.shard, batches.back().position);
  if (auto done = tx.commit(); !done) return failed(done.error());
  result.outcome = ApplyOutcome::kCommitted;
  result.messages = plan.messages().size();
  return result;
}

// The first copy keeps the client's id. Not to be guessed: an id that the client had used already
// would leave no row for the seq, and the seq would be given again.
ClientMsgId id_of_repeat() {
  const Bytes noise = SystemRandom().bytes(16);
  ClientMsgId id;
  std::copy(noise.begin(), noise.end(), id.bytes.begin());
  return id;
}

// One entry in a savepoint. Returns 1 if it is dead; what can't be helped shows in tx or `bug`.
std::size_t apply_entry(pg::Transaction& tx, ShardId shard, const ParsedBatch& parsed,
                        std::size_t index, std::optional<pg::Error>& bug) {
  const wire::Entry& entry = parsed.batch->entries[index];
  const Generation generation = parsed.batch->generation;
  ApplyPlan plan;
  plan.add(entry, parsed.position, generation);
  const auto written = tx.attempt([&] { write_plan(tx, shard, plan); });
  if (written || !tx.ok()) return 0;
  const bool is_repeat = written.error().violates(kOnceIndex);
  if (written.error().is_unique_violation() && !is_repeat) {
    bug = written.error();
    return 0;
  }
  keep_dead(tx, shard, parsed.position, static_cast<int>(index), written.error(),
            wire::encode(wire::Batch{parsed.batch->epoch, generation, {entry}}));
  if (entry.kind == wire::EntryKind::kMessage) {
    // Refused as well if the names are what is wrong: then the seq is a hole, told as withheld.
    wire::Entry tombstone = entry;
    if (is_repeat) tombstone.client_msg_id = id_of_repeat();
    (void)tx.attempt([&] { write_tombstone(tx, shard, tombstone, parsed.position, generation); });
  }
  return 1;
}

ApplyResult apply_one_by_one(pg::Connection& connection, const ApplyRequest& request,
                             const std::vector<ParsedBatch>& batches, std::uint16_t shards) {
  ApplyPlan reads;
  for (const ParsedBatch& parsed : batches) {
    if (!parsed.batch) continue;
    for (const wire::Entry& entry : parsed.batch->entries)
      if (entry.kind == wire::EntryKind::kRead)
        reads.add(entry, parsed.position, parsed.batch->generation);
  }
  ensure_read_conversations(connection, reads, shards);
  if (!connection.is_usable()) return {ApplyOutcome::kRetry, "connection lost"};

  ApplyResult result;
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  if (!lock_shard(tx, request)) {
    return tx.ok() ? ApplyResult{ApplyOutcome::kFenced, "the shard's row has changed"}
                   : failed(tx.error());
  }
  for (const ParsedBatch& parsed : batches) {
    if (!parsed.batch) {
      keep_unreadable(tx, request.shard, parsed);
      ++result.dead;
      continue;
    }
    std::optional<pg::Error> bug;
    for (std::size_t i = 0; i < parsed.batch->entries.size() && tx.ok(); ++i) {
      const std::size_t dead = apply_entry(tx, request.shard, parsed, i, bug);
      if (bug) return failed(*bug);
      result.dead += dead;
      const bool is_message = parsed.batch->entries[i].kind == wire::EntryKind::kMessage;
      if (is_message && dead == 0) ++result.messages;
    }
  }
  move_watermark(tx, request.shard, batches.back().position);
  if (auto done = tx.commit(); !done) return failed(done.error());
  result.outcome = ApplyOutcome::kCommitted;
  return result;
}

}  // namespace

ApplyResult apply(pg::Connection& connection, const ApplyRequest& request, std::uint16_t shards) {
  MARTLET_ASSERT(!request.batches.empty());
  std::uint64_t expected = request.expected.watermark.value();
  for (const LoggedBatch& batch : request.batches)
    MARTLET_ASSERT(batch.position.value() == ++expected);
  const std::vector<ParsedBatch> batches = parse(request.batches);
  return request.one_by_one ? apply_one_by_one(connection, request, batches, shards)
                            : apply_all(connection, request, batches, shards);
}

}  // namespace martlet::store
