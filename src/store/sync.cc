#include "store/sync.h"

#include <algorithm>

#include "store/limits.h"
#include "store/message_rows.h"
#include "store/shards.h"

namespace martlet::store {
namespace {

// A cursor of a conversation's peer is a change as well. sent: the last seq that the user sent
// themself counts as read.
constexpr const char* kChangedPairs =
    "SELECT c.id, c.name, c.last_seq, least(m.read_seq, c.last_seq), least(coalesce(p.read_seq, "
    "0), c.last_seq), greatest(c.last_seq - greatest(m.read_seq, CASE WHEN split_part(c.name, ':', "
    "2) = $1 THEN c.sent_first ELSE c.sent_second END), 0), c.shard, 1::bigint, 0::bigint, false, "
    "1::bigint "
    "FROM members m JOIN conversations c ON c.id = m.conversation_id LEFT JOIN members p ON "
    "p.conversation_id = c.id AND p.user_id = CASE WHEN split_part(c.name, ':', 2) = $1 THEN "
    "split_part(c.name, ':', 3) ELSE split_part(c.name, ':', 2) END WHERE m.user_id = $1 AND "
    "m.conversation_id > $2::bigint AND left(c.name, 2) = 'u:' AND c.last_seq > 0 AND "
    "(c.last_position > ($3::bigint[])[c.shard + 1] OR (m.read_seq > 0 AND m.read_position > "
    "($3::bigint[])[m.read_shard + 1]) OR (p.read_seq > 0 AND p.read_position > "
    "($3::bigint[])[p.read_shard + 1])) ORDER BY m.conversation_id LIMIT $4::bigint";

// Of a group that the user left, all ends with the newest stay: what came later is not theirs. A
// device that does not know the group begins with the first stay that it was not told of; what was
// written before is not what it missed. Who wrote what is not counted as with pairs: that would be
// a row more for each message, so only the newest messages are looked at for one of the user's.
constexpr const char* kChangedGroups =
    "SELECT c.id, c.name, e.last_seq, least(m.read_seq, e.last_seq), 0::bigint, "
    "greatest(e.last_seq - greatest(m.read_seq, s.joined_seq - 1, (SELECT max(w.seq) FROM messages "
    "w WHERE w.conversation_id = c.id AND w.seq BETWEEN greatest(e.last_seq - $5::bigint, "
    "m.read_seq, s.joined_seq - 1) + 1 AND e.last_seq AND w.sender = $1)), 0), c.shard, "
    "s.from_seq, "
    "least(g.members_at, e.last_seq), s.to_seq IS NOT NULL, CASE WHEN s.joined_position <= "
    "($3::bigint[])[c.shard + 1] THEN s.joined_seq ELSE (SELECT o.joined_seq FROM memberships o "
    "WHERE o.user_id = $1 AND o.conversation_id = c.id AND o.joined_position > "
    "($3::bigint[])[c.shard + 1] ORDER BY o.joined_seq LIMIT 1) END FROM members m JOIN groups g "
    "ON "
    "g.conversation_id = m.conversation_id JOIN conversations c ON c.id = m.conversation_id CROSS "
    "JOIN LATERAL (SELECT x.* FROM memberships x WHERE x.conversation_id = m.conversation_id AND "
    "x.user_id = $1 ORDER BY x.joined_seq DESC LIMIT 1) s CROSS JOIN LATERAL (SELECT "
    "coalesce(s.to_seq, c.last_seq) AS last_seq) e WHERE m.user_id = $1 AND m.conversation_id > "
    "$2::bigint AND (coalesce(s.ended_position, c.last_position) > ($3::bigint[])[c.shard + 1] OR "
    "(m.read_seq > 0 AND m.read_position > ($3::bigint[])[m.read_shard + 1])) ORDER BY "
    "m.conversation_id LIMIT $4::bigint";

std::string changed() {
  return "(" + std::string(kChangedPairs) + ") UNION ALL (" + kChangedGroups +
         ") ORDER BY 1 LIMIT $4::bigint";
}

SyncConversation conversation_of(const pg::Rows& rows, std::size_t row, const SyncVector& now) {
  const auto number = [&](int column) {
    return static_cast<std::uint64_t>(rows.number(row, column));
  };
  SyncConversation one;
  one.row_id = rows.number(row, 0);
  one.conversation = ConversationId::trusted(rows.text(row, 1));
  one.last_seq = Seq(number(2));
  one.read_seq = Seq(number(3));
  one.peer_read_seq = Seq(number(4));
  one.unread = number(5);
  one.generation = now.generations.at(number(6));
  one.first_seq = Seq(number(7));
  one.members_at = Seq(number(8));
  one.is_former = rows.truth(row, 9);
  one.start_seq = Seq(number(10));
  return one;
}

// The newest messages of each conversation, as many as its share of the page allows.
void add_newest(pg::Transaction& tx, std::vector<SyncConversation>& conversations) {
  std::vector<std::int64_t> ids, from, to;
  for (const SyncConversation& one : conversations) {
    ids.push_back(one.row_id);
    from.push_back(static_cast<std::int64_t>(one.first_seq.value()));
    to.push_back(static_cast<std::int64_t>(one.last_seq.value()));
  }
  if (ids.empty()) return;
  const std::string sql =
      "SELECT x.* FROM unnest($1::bigint[], $5::bigint[], $6::bigint[]) WITH ORDINALITY AS t(id, "
      "lo, hi, i) CROSS JOIN LATERAL (SELECT t.i, " +
      std::string(kMessageColumns) +
      ", sum(coalesce(octet_length(m.content), 0) + $3::bigint) OVER w AS bytes, row_number() OVER "
      "w AS n FROM (SELECT * FROM messages WHERE conversation_id = t.id AND seq BETWEEN t.lo AND "
      "t.hi ORDER BY seq DESC LIMIT $2::bigint) m WINDOW w AS (ORDER BY m.seq DESC)) x WHERE "
      "x.bytes <= $4::bigint OR x.n = 1 "
      "ORDER BY x.i, x.seq";
  const pg::Rows rows =
      tx.query(sql, pg::Params()
                        .numbers(ids)
                        .number(static_cast<std::int64_t>(kFirstSyncMessages))
                        .number(static_cast<std::int64_t>(kMaxRowOverheadBytes))
                        .number(static_cast<std::int64_t>(kFirstSyncConversationBytes))
                        .numbers(from)
                        .numbers(to));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SyncConversation& one = conversations[static_cast<std::size_t>(rows.number(i, 0)) - 1];
    one.newest.push_back(message_of(rows, i, 1, one.conversation));
  }
}

}  // namespace

SyncVector vector_of(const ShardStates& states) {
  SyncVector vector;
  for (const ShardState& state : states) {
    vector.generations.push_back(state.generation);
    vector.positions.push_back(state.watermark);
  }
  return vector;
}

std::vector<std::int64_t> told(const SyncRequest& request, const SyncVector& now) {
  std::vector<std::int64_t> positions(now.positions.size(), -1);
  if (!request.since) return positions;
  const SyncVector& since = *request.since;
  for (std::size_t i = 0; i < positions.size() && i < since.positions.size(); ++i) {
    if (since.generations[i] == now.generations[i])
      positions[i] = static_cast<std::int64_t>(since.positions[i].value());
  }
  return positions;
}

pg::Result<SyncRows> sync(pg::Connection& connection, const SyncRequest& request) {
  const std::size_t usual = request.since ? kSyncPageConversations : kFirstSyncPageConversations;
  const std::size_t limit =
      request.max_conversations == 0 ? usual : std::min(usual, request.max_conversations);
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  SyncRows out;
  out.now = vector_of(load_shards(tx));
  // One more than wanted tells whether there are more.
  const pg::Rows rows = tx.query(changed(), pg::Params()
                                                .text(request.user.str())
                                                .number(request.after)
                                                .numbers(told(request, out.now))
                                                .number(static_cast<std::int64_t>(limit + 1))
                                                .number(static_cast<std::int64_t>(kOwnLookBack)));
  for (std::size_t i = 0; i < rows.size() && i < limit; ++i)
    out.conversations.push_back(conversation_of(rows, i, out.now));
  out.more = rows.size() > limit;
  if (!request.since) add_newest(tx, out.conversations);
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return out;
}

}  // namespace martlet::store
