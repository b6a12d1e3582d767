#include "store/spans.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"

namespace martlet::store {
namespace {
constexpr std::uint64_t kOpen = std::numeric_limits<std::uint64_t>::max();
}  // namespace

Spans Spans::all() {
  Spans spans;
  spans.add(1, 0);
  return spans;
}

void Spans::add(std::uint64_t from, std::uint64_t to) {
  is_member_ = is_member_ || to == 0;
  const Piece span{from, to == 0 ? kOpen : to, true};
  if (spans_.empty()) {
    spans_.push_back(span);
    return;
  }
  Piece& last = spans_.back();
  MARTLET_ASSERT(from >= last.from);
  const bool touches = last.to == kOpen || from <= last.to + 1;
  if (touches) {
    last.to = std::max(last.to, span.to);
  } else {
    spans_.push_back(span);
  }
}

std::uint64_t Spans::end() const {
  return spans_.empty() ? 0 : spans_.back().to;
}

std::vector<Spans::Piece> Spans::cut(std::uint64_t from, std::uint64_t to) const {
  std::vector<Piece> pieces;
  if (from > to) return pieces;
  std::uint64_t next = from;
  for (const Piece& span : spans_) {
    if (span.to < next) continue;
    if (span.from > to) break;
    if (span.from > next) pieces.push_back({next, span.from - 1, false});
    pieces.push_back({std::max(next, span.from), std::min(span.to, to), true});
    if (span.to >= to) return pieces;
    next = span.to + 1;
  }
  pieces.push_back({next, to, false});
  return pieces;
}

SpansOfGroups load_spans(pg::Transaction& tx, const UserId& user,
                         const std::vector<std::int64_t>& groups) {
  SpansOfGroups spans;
  if (groups.empty()) return spans;
  const pg::Rows rows = tx.query(
      "SELECT conversation_id, from_seq, to_seq FROM memberships WHERE user_id = $1 AND "
      "conversation_id = ANY($2::bigint[]) ORDER BY conversation_id, from_seq",
      pg::Params().text(user.str()).numbers(groups));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    spans[rows.number(i, 0)].add(static_cast<std::uint64_t>(rows.number(i, 1)),
                                 static_cast<std::uint64_t>(rows.number(i, 2)));
  }
  return spans;
}

}  // namespace martlet::store
