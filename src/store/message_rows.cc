#include "store/message_rows.h"

#include <algorithm>

#include "base/assert.h"
#include "store/limits.h"

namespace martlet::store {
namespace {

// PostgreSQL writes "01234567-89ab-…".
ClientMsgId parse_uuid(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (c != '-') digits += c;
  const auto bytes = base::from_hex(digits);
  ClientMsgId id;
  MARTLET_ASSERT(bytes && bytes->size() == id.bytes.size());
  std::copy(bytes->begin(), bytes->end(), id.bytes.begin());
  return id;
}

pg::Rows query_slices(pg::Transaction& tx, const std::vector<Slice>& slices, SeqOrder order,
                      std::size_t max_bytes) {
  std::vector<std::int64_t> ids, from, to;
  for (const Slice& slice : slices) {
    ids.push_back(slice.row_id);
    from.push_back(static_cast<std::int64_t>(slice.from));
    to.push_back(static_cast<std::int64_t>(slice.to));
  }
  const std::string by = order == SeqOrder::kAscending ? "t.i, m.seq" : "t.i, m.seq DESC";
  // The sum is over lengths, which PostgreSQL knows without reading long contents.
  const std::string sql =
      "SELECT x.* FROM (SELECT t.i, " + std::string(kMessageColumns) +
      ", sum(coalesce(octet_length(m.content), 0) + $4::bigint) OVER w AS bytes, row_number() "
      "OVER w AS n, count(*) OVER () AS total FROM unnest($1::bigint[], $2::bigint[], "
      "$3::bigint[]) WITH ORDINALITY AS t(id, lo, hi, i) JOIN messages m ON m.conversation_id = "
      "t.id AND m.seq BETWEEN t.lo AND t.hi WINDOW w AS (ORDER BY " +
      by + ")) x WHERE x.bytes <= $5::bigint OR x.n = 1 ORDER BY x.n";
  return tx.query(sql, pg::Params()
                           .numbers(ids)
                           .numbers(from)
                           .numbers(to)
                           .number(static_cast<std::int64_t>(kMaxRowOverheadBytes))
                           .number(static_cast<std::int64_t>(max_bytes)));
}

}  // namespace

StoredRow message_of(const pg::Rows& rows, std::size_t row, int first_column,
                     const ConversationId& conversation) {
  const auto number = [&](int column) {
    return static_cast<std::uint64_t>(rows.number(row, first_column + column));
  };
  StoredRow message;
  message.conversation = conversation;
  message.seq = Seq(number(0));
  message.message_id = MessageId(number(1));
  message.time_ms = number(2);
  message.client_msg_id = parse_uuid(rows.text(row, first_column + 3));
  message.generation = Generation(static_cast<std::uint32_t>(number(4)));
  message.sender = UserId::trusted(rows.text(row, first_column + 5));
  message.removed = rows.is_null(row, first_column + 6);
  message.content = rows.bytes(row, first_column + 6);
  return message;
}

SliceRows read_slices(pg::Transaction& tx, const std::vector<Slice>& slices, SeqOrder order,
                      std::size_t max_bytes) {
  SliceRows out;
  if (slices.empty()) return out;
  const pg::Rows rows = query_slices(tx, slices, order, max_bytes);
  if (!tx.ok()) return out;
  SliceWalk walk(slices, order, out);
  constexpr int kFirstColumn = 1;
  constexpr int kTotalColumn = 10;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto slice = static_cast<std::size_t>(rows.number(i, 0)) - 1;
    out.messages.push_back(message_of(rows, i, kFirstColumn, slices[slice].conversation));
    walk.row(slice, out.messages.back().seq.value());
  }
  const bool all =
      rows.empty() || rows.number(0, kTotalColumn) == static_cast<std::int64_t>(rows.size());
  if (all) {
    walk.finish();
  } else {
    walk.cut();
  }
  return out;
}

}  // namespace martlet::store
