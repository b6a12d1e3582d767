#include "bench/message_number.h"

#include "base/assert.h"

namespace martlet::bench {
namespace {

// In the bits that are random otherwise, beside the version and the variant.
constexpr std::uint8_t kByte6 = 0x7b;
constexpr std::uint8_t kByte7 = 0xe4;
constexpr std::uint8_t kByte8 = 0x8c;
constexpr int kTimeBytes = 6;
constexpr int kNumberBytes = 7;
constexpr std::size_t kNumberAt = 9;

}  // namespace

ClientMsgId make_numbered_id(WallMs now, std::uint64_t number) {
  MARTLET_ASSERT(number >> (8 * kNumberBytes) == 0);
  ClientMsgId id;
  for (int i = 0; i < kTimeBytes; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(now >> (8 * (kTimeBytes - 1 - i)));
  }
  id.bytes[6] = kByte6;
  id.bytes[7] = kByte7;
  id.bytes[8] = kByte8;
  for (int i = 0; i < kNumberBytes; ++i) {
    id.bytes[kNumberAt + i] = static_cast<std::uint8_t>(number >> (8 * (kNumberBytes - 1 - i)));
  }
  return id;
}

std::optional<std::uint64_t> number_of(const ClientMsgId& id) {
  if (id.bytes[6] != kByte6 || id.bytes[7] != kByte7 || id.bytes[8] != kByte8) return std::nullopt;
  std::uint64_t number = 0;
  for (int i = 0; i < kNumberBytes; ++i) number = number << 8 | id.bytes[kNumberAt + i];
  return number;
}

}  // namespace martlet::bench
