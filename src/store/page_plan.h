#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/slices.h"
#include "store/spans.h"
#include "store/types.h"

namespace martlet::store {

// A conversation as a user who asks for a page of it finds it.
struct PageHead {
  std::int64_t row_id = 0;
  std::uint64_t last_seq = 0;
  // Of the user who asks: in a group the newest stay alone, which is all there is from its
  // beginning on.
  Spans spans;
};
using PageHeads = std::unordered_map<std::string, PageHead>;  // by conversation

// Where the rows of a page come from: all of one snapshot.
class PageSource {
 public:
  virtual ~PageSource() = default;
  // Those that exist.
  virtual PageHeads find_heads(const UserId& user, const std::vector<std::string>& names) = 0;
  // By window, in the order of the stays.
  virtual std::vector<Spans> load_spans(const StaysQuestion& question) = 0;
  // At least one message, whatever max_bytes says, if there is one.
  virtual SliceRows read_slices(const std::vector<Slice>& slices, SeqOrder order,
                                std::size_t max_bytes) = 0;
};

// What a page holds, and what is left for the next one. Decides alone; asks the source for rows.
FetchRows fetch_page(PageSource& source, const FetchRequest& request, std::uint16_t shards);
HistoryRows history_page(PageSource& source, const HistoryRequest& request);

}  // namespace martlet::store
