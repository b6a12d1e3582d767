#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "store/types.h"

namespace martlet::store {

enum class SeqOrder { kAscending, kDescending };

// Seqs that exist: from 1 to the conversation's last.
struct Slice {
  ConversationId conversation;
  std::int64_t row_id = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

struct SliceRows {
  std::vector<StoredRow> messages;    // slice after slice, in the order asked for
  std::vector<wire::Range> withheld;  // seqs without a row
  std::vector<Slice> rest;            // what did not fit into max_bytes
};

// Goes through one slice after the other and notes the seqs that have no row. Pure; slices and out
// must outlive it.
class SliceWalk {
 public:
  SliceWalk(const std::vector<Slice>& slices, SeqOrder order, SliceRows& out);

  // The next message that is on the page: of the slice with that index.
  void row(std::size_t slice, std::uint64_t seq);
  // All rows were given.
  void finish();
  // The rows did not fit: from here on nothing is known.
  void cut();

 private:
  void enter(std::size_t index);
  void finish_slice();
  void withhold(std::uint64_t from, std::uint64_t to);

  const std::vector<Slice>& slices_;
  const SeqOrder order_;
  SliceRows& out_;
  std::size_t index_ = 0;
  std::uint64_t lo_ = 1;
  std::uint64_t hi_ = 0;
};

}  // namespace martlet::store
