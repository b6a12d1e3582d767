#include "store/page_plan.h"

#include <algorithm>

#include "store/limits.h"

namespace martlet::store {
namespace {

PageHead head_of(const PageHeads& heads, const ConversationId& conversation) {
  const auto found = heads.find(conversation.str());
  if (found != heads.end()) return found->second;
  PageHead none;
  if (!conversation.is_group()) none.spans = Spans::all();
  return none;
}

bool is_former(const PageHead& head) {
  return !head.spans.empty() && !head.spans.is_member();
}

// What of a range can be here. A former member learns nothing of how far the group went on, so its
// last seq does not count.
std::uint64_t last_of(const wire::Range& range, const PageHead& head) {
  return is_former(head) ? range.to.value() : std::min(range.to.value(), head.last_seq);
}

// The spans that a range needs, by its place: those of earlier stays too where it begins before the
// newest. Each stay has a seq of the range or more, and each range takes room on the page, so what
// is not loaded has no room either.
std::vector<Spans> spans_of(PageSource& source, const FetchRequest& request,
                            const PageHeads& heads) {
  std::vector<Spans> spans;
  StaysQuestion question{request.user, {}, kFetchPageMessages + 1};
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < request.ranges.size(); ++i) {
    const wire::Range& range = request.ranges[i];
    const PageHead head = head_of(heads, range.conversation);
    spans.push_back(head.spans);
    const std::uint64_t last = last_of(range, head);
    if (head.spans.empty() || range.from.value() > last) continue;
    if (range.from.value() >= head.spans.begin() || places.size() == kFetchPageMessages) continue;
    question.windows.push_back({head.row_id, range.from.value(), last});
    places.push_back(i);
  }
  std::vector<Spans> earlier = source.load_spans(question);
  for (std::size_t i = 0; i < places.size(); ++i) {
    earlier[i].add(spans[places[i]]);
    spans[places[i]] = std::move(earlier[i]);
  }
  return spans;
}

// What of the ranges to read now, and what is left for the next page or unknown here.
struct Selection {
  std::vector<Slice> slices;
  std::vector<wire::Range> later;     // exists, beyond the page's number of messages
  std::vector<wire::Range> unknown;   // above the last seq, or of a group the user never was in
  std::vector<wire::Range> withheld;  // not for the user
  std::vector<wire::Range> parted;    // the same, of groups that the user left
  std::optional<ConversationId> not_member;
  std::size_t room = kFetchPageMessages;
};

void select(const wire::Range& range, const PageHead& head, const Spans& spans,
            Selection& selection) {
  const std::uint64_t from = range.from.value();
  const std::uint64_t to = last_of(range, head);
  if (spans.empty()) selection.not_member = range.conversation;
  if (range.to.value() > to || spans.empty()) {
    const std::uint64_t first = spans.empty() ? from : std::max(from, to + 1);
    selection.unknown.push_back({range.conversation, Seq(first), range.to});
  }
  if (spans.empty()) return;
  // One piece more than there is room for says where the next page begins.
  for (const Spans::Piece& piece : spans.cut(from, to, selection.room + 1)) {
    const std::uint64_t wanted = piece.is_visible ? piece.to - piece.from + 1 : 1;
    const std::uint64_t take = std::min<std::uint64_t>(wanted, selection.room);
    selection.room -= take;
    if (take > 0 && piece.is_visible) {
      selection.slices.push_back(
          {range.conversation, head.row_id, piece.from, piece.from + take - 1});
    } else if (take > 0) {
      (is_former(head) ? selection.parted : selection.withheld)
          .push_back({range.conversation, Seq(piece.from), Seq(piece.to)});
    }
    if (take == wanted) continue;
    selection.later.push_back({range.conversation, Seq(piece.from + take), Seq(to)});
    return;
  }
}

Selection select(const std::vector<wire::Range>& ranges, const PageHeads& heads,
                 const std::vector<Spans>& spans) {
  Selection selection;
  for (std::size_t i = 0; i < ranges.size(); ++i)
    select(ranges[i], head_of(heads, ranges[i].conversation), spans[i], selection);
  return selection;
}

std::vector<ShardId> shards_of(const std::vector<wire::Range>& ranges, std::uint16_t shards) {
  std::vector<ShardId> found;
  for (const wire::Range& range : ranges) found.push_back(shard_of(range.conversation, shards));
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

void append(std::vector<wire::Range>& to, const std::vector<wire::Range>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// The user may be in the group again, in what is not here yet; so those seqs count as unknown.
FetchRows rows_of(SliceRows rows, const Selection& selection, const FetchRequest& request,
                  std::uint16_t shards) {
  FetchRows out;
  std::vector<wire::Range> unknown = selection.unknown;
  append(unknown, selection.parted);
  out.beyond = shards_of(unknown, shards);
  if (selection.not_member && !request.keep_unknown) {
    out.not_member = selection.not_member;
    return out;
  }
  out.messages = std::move(rows.messages);
  out.withheld = std::move(rows.withheld);
  append(out.withheld, selection.withheld);
  if (!request.keep_unknown) append(out.withheld, selection.parted);
  for (const Slice& rest : rows.rest)
    out.remaining.push_back({rest.conversation, Seq(rest.from), Seq(rest.to)});
  append(out.remaining, selection.later);
  if (request.keep_unknown) append(out.remaining, unknown);
  return out;
}

// What of from … to a page of history has: slices in the page's order.
struct HistorySelection {
  std::vector<Slice> slices;
  std::vector<wire::Range> withheld;
  bool more = false;  // that the user may see
};

std::uint64_t room_of(const wire::History& body) {
  if (body.limit == 0) return kHistoryPageMessages;
  return std::min<std::uint64_t>(body.limit, kMaxHistoryPageMessages);
}

// One stay more than there is room for says whether there are more.
Spans spans_of(PageSource& source, const HistoryRequest& request, const PageHead& head,
               const Window& window) {
  if (window.from >= head.spans.begin()) return head.spans;
  const bool backward = request.body.direction == wire::Direction::Backward;
  Spans spans =
      source.load_spans({request.user, {window}, room_of(request.body) + 1, backward}).front();
  spans.add(head.spans);
  return spans;
}

HistorySelection select(const wire::History& body, const Spans& spans, const Window& window) {
  HistorySelection selection;
  const bool backward = body.direction == wire::Direction::Backward;
  std::uint64_t room = room_of(body);
  std::vector<Spans::Piece> pieces = spans.cut(window.from, window.to);
  if (backward) std::reverse(pieces.begin(), pieces.end());
  std::vector<wire::Range> behind_page;  // the next page tells it, if there is one
  for (const Spans::Piece& piece : pieces) {
    if (!piece.is_visible) {
      (room == 0 ? behind_page : selection.withheld)
          .push_back({body.conversation, Seq(piece.from), Seq(piece.to)});
      continue;
    }
    selection.more = selection.more || room == 0;
    if (room == 0) continue;
    const std::uint64_t wanted = piece.to - piece.from + 1;
    const std::uint64_t take = std::min(wanted, room);
    room -= take;
    selection.more = take < wanted;
    selection.slices.push_back({body.conversation, window.group,
                                backward ? piece.to - take + 1 : piece.from,
                                backward ? piece.to : piece.from + take - 1});
  }
  if (!selection.more) append(selection.withheld, behind_page);
  return selection;
}

}  // namespace

FetchRows fetch_page(PageSource& source, const FetchRequest& request, std::uint16_t shards) {
  std::vector<std::string> names;
  for (const wire::Range& range : request.ranges) names.push_back(range.conversation.str());
  const PageHeads heads = source.find_heads(request.user, names);
  const std::vector<Spans> spans = spans_of(source, request, heads);
  const Selection selection = select(request.ranges, heads, spans);
  SliceRows rows = source.read_slices(selection.slices, SeqOrder::kAscending, kMinFetchBytes);
  return rows_of(std::move(rows), selection, request, shards);
}

HistoryRows history_page(PageSource& source, const HistoryRequest& request) {
  const wire::History& body = request.body;
  const PageHeads heads = source.find_heads(request.user, {body.conversation.str()});
  HistoryRows out;
  const PageHead head = head_of(heads, body.conversation);
  out.not_member = head.spans.empty();
  if (heads.empty() || out.not_member) return out;
  const bool backward = body.direction == wire::Direction::Backward;
  const std::uint64_t from = body.from.value();
  std::uint64_t first = 1;
  std::uint64_t last = head.spans.is_member() ? head.last_seq : head.spans.end();
  if (backward && from != 0) last = std::min(last, from - 1);
  if (!backward) first = from + 1;
  if (first > last || first == 0) return out;
  const Window window{head.row_id, first, last};
  const HistorySelection selection = select(body, spans_of(source, request, head, window), window);
  const SeqOrder order = backward ? SeqOrder::kDescending : SeqOrder::kAscending;
  SliceRows rows = source.read_slices(selection.slices, order, kMinFetchBytes);
  out.messages = std::move(rows.messages);
  out.withheld = std::move(rows.withheld);
  append(out.withheld, selection.withheld);
  out.more = selection.more || !rows.rest.empty();
  return out;
}

}  // namespace martlet::store
