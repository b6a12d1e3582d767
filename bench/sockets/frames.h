#pragma once

#include <cstddef>
#include <cstdint>

namespace martlet::bench {

// The first bytes of every frame: all that the two sides read of it. What follows has no meaning.
struct Tag {
  enum class Kind : std::uint32_t { kSend, kAck, kEvent };
  std::uint32_t bytes;  // of the whole frame
  Kind kind;
  std::uint32_t sender;
  std::uint32_t to;       // a user, or a group where there are groups
  std::uint64_t sent_us;  // monotonic
};

// How long a client's frames are with a text so long, as the product writes them.
struct FrameSizes {
  std::uint32_t send = 0, ack = 0, event = 0;
};

FrameSizes frame_sizes(std::size_t text_bytes, bool in_group);

}  // namespace martlet::bench
