#include <algorithm>

#include "store/limits.h"
#include "store/page_plan.h"
#include "store/signed.h"
#include "support/memory_reads.h"

namespace martlet::test {
namespace {

using store::as_signed;

std::size_t bytes_of(const MessageRow& row) {
  return (row.content ? row.content->size() : 0) + store::kMaxRowOverheadBytes;
}

// Stays that touch the window, in the order of their seqs.
std::vector<const StayRow*> touching(const Stays& stays, const store::Window& window) {
  const std::int64_t lo = as_signed(window.from), hi = as_signed(window.to);
  std::vector<const StayRow*> found;
  auto one = stays.upper_bound(lo);
  if (one != stays.begin()) --one;
  for (; one != stays.end() && one->first <= hi; ++one)
    if (one->second.to_seq == 0 || one->second.to_seq >= lo) found.push_back(&one->second);
  return found;
}

// Takes messages of one slice after the other until the page is full.
class SliceReader {
 public:
  SliceReader(const std::vector<store::Slice>& slices, store::SeqOrder order, std::size_t max_bytes)
      : walk_(slices, order, out_), max_bytes_(max_bytes) {}
  // False: it did not fit.
  bool take(std::size_t slice, const ConversationTable& table, const MessageRow& row) {
    bytes_ += bytes_of(row);
    if (bytes_ > max_bytes_ && !out_.messages.empty()) return false;
    out_.messages.push_back(stored_row(table, row));
    walk_.row(slice, static_cast<std::uint64_t>(row.seq));
    return true;
  }
  store::SliceRows full() {
    walk_.cut();
    return std::move(out_);
  }
  store::SliceRows all() {
    walk_.finish();
    return std::move(out_);
  }

 private:
  store::SliceRows out_;
  store::SliceWalk walk_;
  const std::size_t max_bytes_;
  std::size_t bytes_ = 0;
};

class TablePages final : public store::PageSource {
 public:
  explicit TablePages(const Tables& tables) : tables_(tables) {}
  store::PageHeads find_heads(const UserId& user, const std::vector<std::string>& names) override;
  std::vector<store::Spans> load_spans(const store::StaysQuestion& question) override;
  store::SliceRows read_slices(const std::vector<store::Slice>& slices, store::SeqOrder order,
                               std::size_t max_bytes) override;

 private:
  const Tables& tables_;
};

store::PageHeads TablePages::find_heads(const UserId& user, const std::vector<std::string>& names) {
  store::PageHeads heads;
  for (const std::string& name : names) {
    const ConversationTable* table = tables_.find(name);
    if (table == nullptr) continue;
    store::PageHead head{table->id, static_cast<std::uint64_t>(table->head.last_seq), {}};
    const bool is_group = table->name.is_group();
    if (!is_group) head.spans = store::Spans::all();
    const StayRow* stay = is_group ? table->newest_stay(user.str()) : nullptr;
    if (stay != nullptr)
      head.spans.add(static_cast<std::uint64_t>(stay->from_seq),
                     static_cast<std::uint64_t>(stay->to_seq));
    heads.emplace(name, std::move(head));
  }
  return heads;
}

std::vector<store::Spans> TablePages::load_spans(const store::StaysQuestion& question) {
  std::vector<store::Spans> spans(question.windows.size());
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const store::Window& window = question.windows[i];
    const ConversationTable& table = *tables_.rows.at(window.group);
    const auto found = table.stays.find(question.user.str());
    if (found == table.stays.end()) continue;
    std::vector<const StayRow*> stays = touching(found->second, window);
    const std::size_t surplus = stays.size() - std::min(stays.size(), question.max_stays);
    const auto skipped = static_cast<std::ptrdiff_t>(question.from_the_end ? surplus : 0);
    const auto end = static_cast<std::ptrdiff_t>(stays.size() - surplus) + skipped;
    for (auto one = stays.begin() + skipped; one != stays.begin() + end; ++one)
      spans[i].add(static_cast<std::uint64_t>((*one)->from_seq),
                   static_cast<std::uint64_t>((*one)->to_seq));
  }
  return spans;
}

store::SliceRows TablePages::read_slices(const std::vector<store::Slice>& slices,
                                         store::SeqOrder order, std::size_t max_bytes) {
  SliceReader reader(slices, order, max_bytes);
  for (std::size_t i = 0; i < slices.size(); ++i) {
    const ConversationTable& table = *tables_.rows.at(slices[i].row_id);
    const auto begin = table.messages.lower_bound(as_signed(slices[i].from));
    const auto end = table.messages.upper_bound(as_signed(slices[i].to));
    if (order == store::SeqOrder::kAscending) {
      for (auto row = begin; row != end; ++row)
        if (!reader.take(i, table, row->second)) return reader.full();
    } else {
      for (auto row = end; row != begin;)
        if (!reader.take(i, table, (--row)->second)) return reader.full();
    }
  }
  return reader.all();
}

}  // namespace

store::StoredRow stored_row(const ConversationTable& table, const MessageRow& message) {
  store::StoredRow row;
  row.conversation = table.name;
  row.seq = Seq(static_cast<std::uint64_t>(message.seq));
  row.message_id = message.message_id;
  row.sender = message.sender;
  row.client_msg_id = message.client_msg_id;
  row.time_ms = message.time_ms;
  row.generation = message.generation;
  row.content = message.content.value_or(Bytes());
  row.removed = !message.content;
  return row;
}

store::FetchRows fetch_of_tables(const Tables& tables, const store::FetchRequest& request) {
  TablePages pages(tables);
  return store::fetch_page(pages, request, static_cast<std::uint16_t>(tables.shards.size()));
}

store::HistoryRows history_of_tables(const Tables& tables, const store::HistoryRequest& request) {
  TablePages pages(tables);
  return store::history_page(pages, request);
}

}  // namespace martlet::test
