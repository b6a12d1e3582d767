#include "store/trace.h"

#include <algorithm>
#include <string>

#include "store/message_rows.h"
#include "store/signed.h"
#include "wire/limits.h"
#include "wire/verify.h"

namespace martlet::store {
namespace {

struct Found {
  wire::TraceRow row;
  std::int64_t conversation = 0;  // its row id
};

// A message has no more than one row by message_id; its ids are found by ranges of pages, so what
// LIMIT leaves out was read all the same.
pg::Rows find(pg::Transaction& tx, const wire::TraceQuestion& question) {
  std::string where;
  pg::Params params;
  if (question.message_id != MessageId()) {
    where = "m.message_id = $1::bigint";
    params.number(as_signed(question.message_id.value()));
  } else if (!question.client_msg_id.is_zero()) {
    where = "m.client_msg_id = $1::uuid";
    params.text(to_string(question.client_msg_id));
  } else {
    where = "c.name = $1 AND m.seq = $2::bigint";
    params.text(question.conversation.str()).number(as_signed(question.seq.value()));
  }
  const std::string sql =
      "SELECT c.name, c.id, c.shard, m.position, s.watermark, " + std::string(kMessageColumns) +
      " FROM messages m JOIN conversations c ON c.id = m.conversation_id JOIN shards s ON s.shard "
      "= c.shard WHERE " +
      where + " ORDER BY m.message_id DESC LIMIT " + std::to_string(wire::kMaxTraceRows);
  return tx.query(sql, params);
}

constexpr int kFirstMessageColumn = 5;

// The content stays here: what is told of it is how long it is, and of what kind.
Found read(const pg::Rows& rows, std::size_t i) {
  const auto number = [&](int column) {
    return static_cast<std::uint64_t>(rows.number(i, column));
  };
  const StoredRow message =
      message_of(rows, i, kFirstMessageColumn, ConversationId::trusted(rows.text(i, 0)));
  wire::TraceRow row;
  row.conversation = message.conversation;
  row.seq = message.seq;
  row.message_id = message.message_id;
  row.sender = message.sender;
  row.client_msg_id = message.client_msg_id;
  row.time_ms = message.time_ms;
  row.removed = message.removed;
  row.bytes = static_cast<std::uint32_t>(message.content.size());
  if (wire::verifies<proto::Content>(message.content)) {
    const auto kind = flatbuffers::GetRoot<proto::Content>(message.content.data())->kind();
    row.kind = std::min(kind, proto::ContentKind::MAX);
  }
  row.shard = ShardId(static_cast<std::uint16_t>(number(2)));
  row.generation = message.generation;
  row.position = LogPosition(number(3));
  row.watermark = LogPosition(number(4));
  return {std::move(row), rows.number(i, 1)};
}

// Those who may see it first, then members who may not.
pg::Rows members_of_group(pg::Transaction& tx, const Found& found) {
  return tx.query(
      "SELECT x.user_id, x.sees, x.is_member, coalesce(r.read_seq, 0), count(*) OVER () FROM "
      "(SELECT user_id, bool_or(from_seq <= $2::bigint AND (to_seq IS NULL OR to_seq >= "
      "$2::bigint)) AS sees, bool_or(to_seq IS NULL) AS is_member FROM memberships WHERE "
      "conversation_id = $1::bigint GROUP BY user_id) x LEFT JOIN members r ON r.user_id = "
      "x.user_id AND r.conversation_id = $1::bigint WHERE x.sees OR x.is_member ORDER BY x.sees "
      "DESC, x.user_id LIMIT $3::bigint",
      pg::Params()
          .number(found.conversation)
          .number(as_signed(found.row.seq.value()))
          .number(static_cast<std::int64_t>(wire::kMaxTraceMembers)));
}

pg::Rows members_of_two(pg::Transaction& tx, const Found& found) {
  const auto [low, high] = found.row.conversation.users();
  return tx.query(
      "SELECT u.user_id, true, true, coalesce(r.read_seq, 0), count(*) OVER () FROM (SELECT "
      "DISTINCT unnest($2::text[]) AS user_id) u LEFT JOIN members r ON r.user_id = u.user_id AND "
      "r.conversation_id = $1::bigint ORDER BY u.user_id",
      pg::Params().number(found.conversation).texts({low.str(), high.str()}));
}

void add_members(pg::Transaction& tx, Found& found) {
  const bool is_group = found.row.conversation.is_group();
  const pg::Rows rows = is_group ? members_of_group(tx, found) : members_of_two(tx, found);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    found.row.members.push_back({UserId::trusted(rows.text(i, 0)), rows.truth(i, 1),
                                 rows.truth(i, 2),
                                 Seq(static_cast<std::uint64_t>(rows.number(i, 3)))});
    found.row.members_count = static_cast<std::uint32_t>(rows.number(i, 4));
  }
}

}  // namespace

pg::Result<std::vector<wire::TraceRow>> trace(pg::Connection& connection,
                                              const wire::TraceQuestion& question) {
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  const pg::Rows rows = find(tx, question);
  std::vector<wire::TraceRow> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Found found = read(rows, i);
    add_members(tx, found);
    out.push_back(std::move(found.row));
  }
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return out;
}

}  // namespace martlet::store
