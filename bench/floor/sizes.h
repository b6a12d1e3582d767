#pragma once

#include <cstddef>

namespace martlet::bench {

// How many bytes the product puts on the broker for a one-to-one message with a text so long.
struct Sizes {
  std::size_t frame = 0;                // edge -> owner
  std::size_t batch = 0, entry = 0;     // owner -> log: a batch, and each entry of it
  std::size_t answers = 0, answer = 0;  // owner -> edge: a batch of answers, and each
  std::size_t event = 0;                // owner -> each of the two users
};

Sizes sizes_of(std::size_t text_bytes);

}  // namespace martlet::bench
