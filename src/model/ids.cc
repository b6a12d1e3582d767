#include "model/ids.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/bytes.h"

namespace martlet {
namespace {

constexpr int kCounterBits = 12;
constexpr int kShardBits = 10;
constexpr WallMs kMessageIdStartMs = 1704067200000;  // 2024-01-01T00:00:00Z

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

Bytes big_endian(std::uint64_t value) {
  Bytes out(8, '\0');
  for (int i = 7; i >= 0; --i, value >>= 8)
    out[static_cast<std::size_t>(i)] = static_cast<char>(value);
  return out;
}

}  // namespace

bool is_valid_id(std::string_view text) {
  return !text.empty() && text.size() <= kMaxIdBytes &&
         std::all_of(text.begin(), text.end(), is_id_character);
}

template <class Tag>
Name<Tag> Name<Tag>::trusted(std::string_view text) {
  MARTLET_ASSERT(is_valid_id(text));
  return Name(std::string(text));
}
template class Name<UserTag>;
template class Name<DeviceTag>;
template class Name<GroupTag>;
template class Name<EdgeTag>;

ClientMsgId make_client_msg_id(const Clock& clock, Random& random) {
  ClientMsgId id;
  const Bytes noise = random.bytes(16);
  std::memcpy(id.bytes.data(), noise.data(), 16);
  const Bytes time = big_endian(clock.wall_ms());
  std::memcpy(id.bytes.data(), time.data() + 2, 6);
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x70);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
  return id;
}

std::optional<WallMs> time_of(const ClientMsgId& id) {
  if ((id.bytes[6] & 0xF0) != 0x70 || (id.bytes[8] & 0xC0) != 0x80) return std::nullopt;
  WallMs time = 0;
  for (std::size_t i = 0; i < 6; ++i) time = time << 8 | id.bytes[i];
  return time;
}

std::string to_string(const ClientMsgId& id) {
  return base::to_hex(base::as_view(id.bytes.data(), id.bytes.size()));
}

std::string to_string(const SessionId& id) {
  return base::to_hex(big_endian(id.time_ms) + big_endian(id.random));
}

MessageId make_message_id(ShardId shard, WallMs wall_ms, MessageId last) {
  MARTLET_ASSERT(shard.value() < kMaxShards);
  constexpr std::uint64_t kLowMask = (1ULL << (kCounterBits + kShardBits)) - 1;
  const std::uint64_t since = wall_ms > kMessageIdStartMs ? wall_ms - kMessageIdStartMs : 0;
  const std::uint64_t shard_part = static_cast<std::uint64_t>(shard.value()) << kCounterBits;
  const std::uint64_t fresh = since << (kCounterBits + kShardBits) | shard_part;
  if (fresh > last.value()) return MessageId(fresh);
  const std::uint64_t counter = last.value() & ((1ULL << kCounterBits) - 1);
  if (counter + 1 < (1ULL << kCounterBits)) return last.next();
  const std::uint64_t next_ms = (last.value() & ~kLowMask) + kLowMask + 1;
  return MessageId(next_ms | shard_part);
}

ShardId shard_of(MessageId id) {
  return ShardId(static_cast<std::uint16_t>(id.value() >> kCounterBits & ((1U << kShardBits) - 1)));
}

WallMs time_of(MessageId id) {
  return (id.value() >> (kCounterBits + kShardBits)) + kMessageIdStartMs;
}

}  // namespace martlet

std::size_t std::hash<martlet::ClientMsgId>::operator()(
    const martlet::ClientMsgId& id) const noexcept {
  // The last bytes of a UUIDv7 are random.
  std::uint64_t tail = 0;
  std::memcpy(&tail, id.bytes.data() + 8, sizeof tail);
  return static_cast<std::size_t>(tail);
}
