#include "store/pages.h"

#include <algorithm>
#include <unordered_map>

#include "store/limits.h"
#include "store/message_rows.h"

namespace martlet::store {
namespace {

struct Head {
  std::int64_t row_id = 0;
  std::uint64_t last_seq = 0;
};
using Heads = std::unordered_map<std::string, Head>;

Heads find_heads(pg::Transaction& tx, const std::vector<std::string>& names) {
  const pg::Rows rows =
      tx.query("SELECT name, id, last_seq FROM conversations WHERE name = ANY($1::text[])",
               pg::Params().texts(names));
  Heads heads;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    heads.emplace(rows.text(i, 0),
                  Head{rows.number(i, 1), static_cast<std::uint64_t>(rows.number(i, 2))});
  }
  return heads;
}

// What of the ranges to read now, and what is left for the next page or unknown here.
struct Selection {
  std::vector<Slice> slices;
  std::vector<wire::Range> later;    // exists, beyond the page's number of messages
  std::vector<wire::Range> unknown;  // above the last seq
};

Selection select(const std::vector<wire::Range>& ranges, const Heads& heads) {
  Selection selection;
  std::size_t room = kFetchPageMessages;
  for (const wire::Range& range : ranges) {
    const auto found = heads.find(range.conversation.str());
    const Head head = found == heads.end() ? Head{} : found->second;
    const std::uint64_t from = range.from.value();
    const std::uint64_t to = std::min(range.to.value(), head.last_seq);
    if (range.to.value() > head.last_seq) {
      selection.unknown.push_back(
          {range.conversation, Seq(std::max(from, head.last_seq + 1)), range.to});
    }
    if (from > to) continue;
    const std::uint64_t take = std::min<std::uint64_t>(to - from + 1, room);
    if (take > 0)
      selection.slices.push_back({range.conversation, head.row_id, from, from + take - 1});
    room -= take;
    if (from + take <= to)
      selection.later.push_back({range.conversation, Seq(from + take), Seq(to)});
  }
  return selection;
}

std::vector<ShardId> shards_of(const std::vector<wire::Range>& ranges, std::uint16_t shards) {
  std::vector<ShardId> found;
  for (const wire::Range& range : ranges) found.push_back(shard_of(range.conversation, shards));
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace

pg::Result<FetchRows> fetch(pg::Connection& connection, const FetchRequest& request,
                            std::uint16_t shards) {
  std::vector<std::string> names;
  for (const wire::Range& range : request.ranges) names.push_back(range.conversation.str());
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  const Heads heads = find_heads(tx, names);
  if (!tx.ok()) return tl::unexpected(tx.error());
  const Selection selection = select(request.ranges, heads);
  SliceRows rows = read_slices(tx, selection.slices, SeqOrder::kAscending, kMinFetchBytes);
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());

  FetchRows out;
  out.messages = std::move(rows.messages);
  out.withheld = std::move(rows.withheld);
  for (const Slice& rest : rows.rest)
    out.remaining.push_back({rest.conversation, Seq(rest.from), Seq(rest.to)});
  out.remaining.insert(out.remaining.end(), selection.later.begin(), selection.later.end());
  if (request.keep_unknown) {
    out.remaining.insert(out.remaining.end(), selection.unknown.begin(), selection.unknown.end());
  }
  out.beyond = shards_of(selection.unknown, shards);
  return out;
}

pg::Result<HistoryRows> history(pg::Connection& connection, const wire::History& request) {
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  const Heads heads = find_heads(tx, {request.conversation.str()});
  if (!tx.ok()) return tl::unexpected(tx.error());
  HistoryRows out;
  if (heads.empty()) return out;
  const Head head = heads.begin()->second;
  const std::uint64_t limit = request.limit == 0
                                  ? kHistoryPageMessages
                                  : std::min<std::uint64_t>(request.limit, kMaxHistoryPageMessages);
  const bool backward = request.direction == wire::Direction::Backward;
  const std::uint64_t from = request.from.value();
  Slice slice{request.conversation, head.row_id, 1, head.last_seq};
  if (backward && from != 0) slice.to = std::min(slice.to, from - 1);
  if (!backward) slice.from = from + 1;
  if (slice.from > slice.to) return out;
  out.more = slice.to - slice.from + 1 > limit;
  if (out.more && backward) slice.from = slice.to - limit + 1;
  if (out.more && !backward) slice.to = slice.from + limit - 1;
  SliceRows rows = read_slices(tx, {slice}, backward ? SeqOrder::kDescending : SeqOrder::kAscending,
                               kMinFetchBytes);
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  out.messages = std::move(rows.messages);
  out.withheld = std::move(rows.withheld);
  out.more = out.more || !rows.rest.empty();
  return out;
}

}  // namespace martlet::store
