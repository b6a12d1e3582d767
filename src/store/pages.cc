#include "store/pages.h"

#include "store/message_rows.h"
#include "store/page_plan.h"

namespace martlet::store {
namespace {

PageHeads find_heads(pg::Transaction& tx, const UserId& user,
                     const std::vector<std::string>& names) {
  const pg::Rows rows = tx.query(
      "SELECT c.name, c.id, c.last_seq, s.from_seq, s.to_seq FROM conversations c LEFT JOIN "
      "LATERAL "
      "(SELECT m.from_seq, m.to_seq FROM memberships m WHERE m.conversation_id = c.id AND "
      "m.user_id "
      "= $2 ORDER BY m.joined_seq DESC LIMIT 1) s ON left(c.name, 2) = 'g:' WHERE c.name = "
      "ANY($1::text[])",
      pg::Params().texts(names).text(user.str()));
  PageHeads heads;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto number = [&](int column) {
      return static_cast<std::uint64_t>(rows.number(i, column));
    };
    PageHead head{rows.number(i, 1), number(2), {}};
    const bool is_group = ConversationId::trusted(rows.text(i, 0)).is_group();
    if (!is_group) head.spans = Spans::all();
    if (is_group && !rows.is_null(i, 3)) head.spans.add(number(3), number(4));
    heads.emplace(rows.text(i, 0), std::move(head));
  }
  return heads;
}

class TransactionPages final : public PageSource {
 public:
  explicit TransactionPages(pg::Transaction& tx) : tx_(tx) {}
  PageHeads find_heads(const UserId& user, const std::vector<std::string>& names) override {
    return store::find_heads(tx_, user, names);
  }
  std::vector<Spans> load_spans(const StaysQuestion& question) override {
    return store::load_spans(tx_, question);
  }
  SliceRows read_slices(const std::vector<Slice>& slices, SeqOrder order,
                        std::size_t max_bytes) override {
    return store::read_slices(tx_, slices, order, max_bytes);
  }

 private:
  pg::Transaction& tx_;
};

}  // namespace

pg::Result<FetchRows> fetch(pg::Connection& connection, const FetchRequest& request,
                            std::uint16_t shards) {
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  TransactionPages pages(tx);
  FetchRows rows = fetch_page(pages, request, shards);
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return rows;
}

pg::Result<HistoryRows> history(pg::Connection& connection, const HistoryRequest& request) {
  pg::Transaction tx(connection, pg::Mode::kSnapshot);
  TransactionPages pages(tx);
  HistoryRows rows = history_page(pages, request);
  if (auto done = tx.commit(); !done) return tl::unexpected(done.error());
  return rows;
}

}  // namespace martlet::store
