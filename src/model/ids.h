#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/strong.h"

namespace martlet {

inline constexpr std::size_t kMaxIdBytes = 64;
inline constexpr std::uint16_t kMaxShards = 1024;

// True for 1 to 64 characters of A-Z a-z 0-9 _ -: safe in subjects, keys and file names.
bool is_valid_id(std::string_view text);

// A name checked once at the border; afterwards the type says that it is good.
template <class Tag>
class Name {
 public:
  Name() = default;  // empty: no name
  static std::optional<Name> parse(std::string_view text) {
    if (!is_valid_id(text)) return std::nullopt;
    return Name(std::string(text));
  }
  // For text that was checked before it was stored or published: asserts.
  static Name trusted(std::string_view text);

  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend auto operator<=>(const Name&, const Name&) = default;

 private:
  explicit Name(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

using UserId = Name<struct UserTag>;
using DeviceId = Name<struct DeviceTag>;
using GroupId = Name<struct GroupTag>;
using EdgeId = Name<struct EdgeTag>;  // fresh and random at every start of an edge

using Seq = Strong<struct SeqTag>;                  // 1, 2, 3 … in a conversation; 0: none
using MessageId = Strong<struct MessageIdTag>;      // see make_message_id
using LogPosition = Strong<struct LogPositionTag>;  // base + stream sequence of a shard
using Epoch = Strong<struct EpochTag>;              // of an ownership; grows with each take-over
using Generation = Strong<struct GenerationTag, std::uint32_t>;  // grows when a log lost its tail
using ShardId = Strong<struct ShardTag, std::uint16_t>;

// Chosen by the client, once for each message (UUIDv7, 16 bytes). All zero: none.
struct ClientMsgId {
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const ClientMsgId&, const ClientMsgId&) = default;
  bool is_zero() const { return *this == ClientMsgId{}; }
};
// A new UUIDv7.
ClientMsgId make_client_msg_id(const Clock& clock, Random& random);
// When it was made, by the clock of whoever made it. None: not a UUIDv7.
std::optional<WallMs> time_of(const ClientMsgId& id);
std::string to_string(const ClientMsgId& id);  // 32 hexadecimal digits

// A connection's authenticated life; sortable by time, unique by chance.
struct SessionId {
  std::uint64_t time_ms = 0;
  std::uint64_t random = 0;
  friend auto operator<=>(const SessionId&, const SessionId&) = default;
};
std::string to_string(const SessionId& id);  // 32 hexadecimal digits

// A message id: 41 bits of milliseconds since 2024, 10 bits of shard, 12 bits of counter. Ordered
// by time within a shard, unique without coordination because a shard has one fenced writer.
// Returns max(wall, what comes after last), so it never goes back with the clock.
MessageId make_message_id(ShardId shard, WallMs wall_ms, MessageId last);
ShardId shard_of(MessageId id);
WallMs time_of(MessageId id);

}  // namespace martlet

template <class Tag>
struct std::hash<martlet::Name<Tag>> {
  std::size_t operator()(const martlet::Name<Tag>& name) const noexcept {
    return std::hash<std::string>()(name.str());
  }
};
template <>
struct std::hash<martlet::ClientMsgId> {
  std::size_t operator()(const martlet::ClientMsgId& id) const noexcept;
};
template <>
struct std::hash<martlet::SessionId> {
  std::size_t operator()(const martlet::SessionId& id) const noexcept {
    return static_cast<std::size_t>(id.random ^ id.time_ms);
  }
};
