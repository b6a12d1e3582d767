#include "store/repeats.h"

#include <algorithm>

#include "base/random.h"
#include "store/signed.h"

namespace martlet::store {
namespace {

using MessageRow = ApplyPlan::MessageRow;
// The first copy keeps the client's id. Not to be guessed: an id that the client had used already
// would leave no row for the seq, and the seq would be given again.
ClientMsgId id_of_repeat(Random& random) {
  const Bytes noise = random.bytes(16);
  ClientMsgId id;
  std::copy(noise.begin(), noise.end(), id.bytes.begin());
  return id;
}

// The contents' hashes of those that are stored already.
StoredHashes find_stored(pg::Transaction& tx, const std::vector<MessageRow>& messages,
                         const RowIds& ids) {
  std::vector<std::int64_t> conversations;
  std::vector<std::string> keys, senders;
  for (const MessageRow& one : messages) {
    conversations.push_back(ids.at(one.entry->conversation.str()));
    keys.push_back(to_string(one.entry->client_msg_id));
    senders.push_back(one.entry->sender.str());
  }
  const pg::Rows rows = tx.query(
      "SELECT t.i, m.content_hash FROM unnest($1::bigint[], $2::uuid[], $3::text[]) WITH "
      "ORDINALITY "
      "AS t(id, client_msg_id, sender, i) JOIN messages m ON m.conversation_id = t.id AND "
      "m.client_msg_id = t.client_msg_id AND m.sender = t.sender",
      pg::Params().numbers(conversations).texts(keys).texts(senders));
  StoredHashes stored;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const MessageRow& one = messages[static_cast<std::size_t>(rows.number(i, 0)) - 1];
    stored.emplace(key_of(*one.entry), static_cast<std::uint64_t>(rows.number(i, 1)));
  }
  return stored;
}

}  // namespace

RepeatKey key_of(const wire::Entry& entry) {
  return {entry.conversation.str(), entry.sender.str(), entry.client_msg_id};
}

Repeats part_repeats(const std::vector<MessageRow>& messages, StoredHashes known) {
  Repeats out;
  for (const MessageRow& one : messages) {
    const std::uint64_t hash = one.entry->content_hash;
    const auto [first, is_fresh] = known.emplace(key_of(*one.entry), hash);
    (is_fresh ? out.fresh : out.repeats).push_back(one);
    if (first->second != hash) out.lies.push_back(one);
  }
  return out;
}

Repeats find_repeats(pg::Transaction& tx, const ApplyPlan& plan, const RowIds& ids) {
  StoredHashes stored = find_stored(tx, plan.messages(), ids);
  if (!tx.ok()) return {};
  return part_repeats(plan.messages(), std::move(stored));
}

void write_tombstones(pg::Transaction& tx, const std::vector<MessageRow>& messages,
                      const RowIds& ids, TombstoneIds which) {
  if (messages.empty()) return;
  SystemRandom random;
  std::vector<std::int64_t> conversations, seqs, message_ids, times, positions, hashes, generations;
  std::vector<std::string> keys, senders;
  for (const MessageRow& one : messages) {
    const wire::Entry& entry = *one.entry;
    conversations.push_back(ids.at(entry.conversation.str()));
    seqs.push_back(as_signed(entry.seq.value()));
    message_ids.push_back(as_signed(entry.message_id.value()));
    times.push_back(as_signed(entry.time_ms));
    positions.push_back(as_signed(one.place.position.value()));
    hashes.push_back(as_signed(entry.content_hash));
    generations.push_back(one.place.batch->generation.value());
    const bool is_own = which == TombstoneIds::kOwn;
    keys.push_back(to_string(is_own ? entry.client_msg_id : id_of_repeat(random)));
    senders.push_back(entry.sender.str());
  }
  tx.query(
      "INSERT INTO messages (conversation_id, seq, message_id, time_ms, position, content_hash, "
      "generation, client_msg_id, sender) SELECT * FROM unnest($1::bigint[], $2::bigint[], "
      "$3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::uuid[], "
      "$9::text[])",
      pg::Params()
          .numbers(conversations)
          .numbers(seqs)
          .numbers(message_ids)
          .numbers(times)
          .numbers(positions)
          .numbers(hashes)
          .numbers(generations)
          .texts(keys)
          .texts(senders));
}

}  // namespace martlet::store
