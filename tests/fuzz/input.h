#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"

namespace martlet::fuzz {

// Longer inputs find nothing that short ones do not, and tables that share their parts can stand
// for a message far over our limits.
inline constexpr std::size_t kMaxInputBytes = 2048;

// Takes an input apart from its front; missing bytes read as zero.
class Input {
 public:
  explicit Input(BytesView bytes) : rest_(bytes) {}

  std::uint8_t byte() {
    const BytesView one = take(1);
    return one.empty() ? 0 : static_cast<std::uint8_t>(one[0]);
  }
  // Big-endian, like numbers on the wire.
  std::uint16_t number() {
    const unsigned high = byte();
    return static_cast<std::uint16_t>(high << 8 | byte());
  }
  BytesView take(std::size_t size) {
    const BytesView taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  // Up to the mark, which is dropped; all of it if there is no mark.
  BytesView take_until(char mark) {
    const BytesView taken = take(std::min(rest_.find(mark), rest_.size()));
    take(1);
    return taken;
  }
  BytesView rest() const { return rest_; }

 private:
  BytesView rest_;
};

}  // namespace martlet::fuzz
