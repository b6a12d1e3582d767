#include "wire/ranges.h"

namespace martlet::wire {

flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<proto::Range>>> put_ranges(
    Builder& builder, const std::vector<Range>& ranges) {
  std::vector<flatbuffers::Offset<proto::Range>> offsets;
  offsets.reserve(ranges.size());
  for (const Range& range : ranges) {
    const auto conversation = builder.CreateSharedString(range.conversation.str());
    offsets.push_back(
        proto::CreateRange(builder, conversation, range.from.value(), range.to.value()));
  }
  return builder.CreateVector(offsets);
}

}  // namespace martlet::wire
