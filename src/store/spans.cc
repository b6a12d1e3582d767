#include "store/spans.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "store/signed.h"

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

void Spans::add(const Spans& later) {
  for (const Piece& span : later.spans_) add(span.from, span.to == kOpen ? 0 : span.to);
}

std::uint64_t Spans::end() const {
  return spans_.empty() ? 0 : spans_.back().to;
}

std::vector<Spans::Piece> Spans::cut(std::uint64_t from, std::uint64_t to,
                                     std::size_t max_pieces) const {
  std::vector<Piece> pieces;
  std::uint64_t next = from;
  auto span = std::lower_bound(spans_.begin(), spans_.end(), from,
                               [](const Piece& one, std::uint64_t seq) { return one.to < seq; });
  while (next <= to && pieces.size() < max_pieces) {
    const bool is_last = span == spans_.end() || span->from > to;
    if (is_last || span->from > next) {
      const std::uint64_t end = is_last ? to : span->from - 1;
      pieces.push_back({next, end, false});
      next = end + 1;
    } else {
      const std::uint64_t end = std::min(span->to, to);
      pieces.push_back({next, end, true});
      next = end + 1;
      ++span;
    }
  }
  return pieces;
}

// Stays are apart from each other, so those that touch a window follow the last one that began
// before it.
std::vector<Spans> load_spans(pg::Transaction& tx, const StaysQuestion& question) {
  std::vector<Spans> spans(question.windows.size());
  if (spans.empty()) return spans;
  std::vector<std::int64_t> groups, from, to;
  for (const Window& window : question.windows) {
    groups.push_back(window.group);
    from.push_back(as_signed(window.from));
    to.push_back(as_signed(window.to));
  }
  const std::string order = question.from_the_end ? "DESC" : "ASC";
  const pg::Rows rows = tx.query(
      "SELECT t.i, s.from_seq, s.to_seq FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) WITH "
      "ORDINALITY AS t(id, lo, hi, i) CROSS JOIN LATERAL (SELECT m.from_seq, m.to_seq FROM "
      "memberships m WHERE m.conversation_id = t.id AND m.user_id = $1 AND m.joined_seq >= "
      "coalesce((SELECT max(b.joined_seq) FROM memberships b WHERE b.conversation_id = t.id AND "
      "b.user_id = $1 AND b.joined_seq <= t.lo), 0) AND m.joined_seq <= t.hi AND (m.to_seq IS NULL "
      "OR m.to_seq >= t.lo) ORDER BY m.joined_seq " +
          order + " LIMIT $5::bigint) s ORDER BY t.i, s.from_seq",
      pg::Params()
          .text(question.user.str())
          .numbers(groups)
          .numbers(from)
          .numbers(to)
          .number(static_cast<std::int64_t>(question.max_stays)));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    spans[static_cast<std::size_t>(rows.number(i, 0)) - 1].add(
        static_cast<std::uint64_t>(rows.number(i, 1)),
        static_cast<std::uint64_t>(rows.number(i, 2)));
  }
  return spans;
}

}  // namespace martlet::store
