#pragma once

#include <vector>

#include "client_generated.h"
#include "wire/fields.h"
#include "wire/requests.h"

// Vectors of Range and Withheld, which look the same; for the .cc files of wire/ only.
namespace martlet::wire {

flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<proto::Range>>> put_ranges(
    Builder& builder, const std::vector<Range>& ranges);

// Checks each: from <= to, from > 0, to <= kMaxSeq, at most so many seqs. nullptr: none.
template <class Table>
std::vector<Range> read_ranges(const flatbuffers::Vector<flatbuffers::Offset<Table>>* tables,
                               const char* field, std::uint64_t max_seqs, FieldReader& read) {
  std::vector<Range> ranges;
  if (tables == nullptr) return ranges;
  ranges.reserve(tables->size());
  for (const Table* table : *tables) {
    Range range;
    range.conversation = read.conversation(table->conversation(), field);
    range.from = read.seq(table->from(), field);
    range.to = read.seq(table->to(), field);
    if (range.from == Seq(0)) read.refuse(ErrorCode::kBadRange, field, "has one from zero");
    if (range.from > range.to) read.refuse(ErrorCode::kBadRange, field, "has a reversed one");
    if (range.to.value() - range.from.value() >= max_seqs) {
      read.refuse(ErrorCode::kBadRange, field, "has one that is too large");
    }
    if (!read.ok()) break;
    ranges.push_back(std::move(range));
  }
  return ranges;
}

}  // namespace martlet::wire
