#include "store/shards.h"

#include <algorithm>

#include "base/assert.h"
#include "store/signed.h"

namespace martlet::store {
namespace {

ShardState state_of(const pg::Rows& rows, std::size_t row, int column) {
  return {LogPosition(static_cast<std::uint64_t>(rows.number(row, column))),
          static_cast<std::uint64_t>(rows.number(row, column + 1)),
          Generation(static_cast<std::uint32_t>(rows.number(row, column + 2)))};
}

}  // namespace

ShardStates load_shards(pg::Transaction& tx) {
  const pg::Rows rows =
      tx.query("SELECT shard, watermark, base, generation FROM shards ORDER BY shard");
  ShardStates states;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    MARTLET_ASSERT(rows.number(i, 0) == static_cast<std::int64_t>(i));
    states.push_back(state_of(rows, i, 1));
  }
  return states;
}

pg::Result<ShardStates> load_shards(pg::Connection& connection) {
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  ShardStates states = load_shards(tx);
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return states;
}

pg::Result<RaisedBase> raise_base(pg::Connection& connection, ShardId shard,
                                  const ShardState& expected, std::uint64_t last,
                                  LogPosition known) {
  const std::uint64_t end = expected.base + last;
  const LogPosition watermark = std::max(expected.watermark, known);
  MARTLET_ASSERT(end <= expected.watermark.value() && end < watermark.value());
  pg::Transaction tx(connection, pg::Mode::kReadWrite);
  const pg::Rows changed = tx.query(
      "UPDATE shards SET watermark = $5, base = $6, generation = generation + 1 WHERE shard = $1 "
      "AND watermark = $2 AND base = $3 AND generation = $4 RETURNING shard",
      pg::Params()
          .number(shard.value())
          .number(as_signed(expected.watermark.value()))
          .number(as_signed(expected.base))
          .number(expected.generation.value())
          .number(as_signed(watermark.value()))
          .number(as_signed(watermark.value() - last)));
  const pg::Rows rows = tx.query("SELECT watermark, base, generation FROM shards WHERE shard = $1",
                                 pg::Params().number(shard.value()));
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  MARTLET_ASSERT(rows.size() == 1);
  return RaisedBase{state_of(rows, 0, 0), changed.size() == 1};
}

}  // namespace martlet::store
