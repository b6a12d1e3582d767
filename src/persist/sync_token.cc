#include "persist/sync_token.h"

#include "base/assert.h"

namespace martlet::persist {
namespace {

constexpr char kToken = 0x11;
constexpr char kCursor = 0x21;
constexpr std::uint64_t kHasSince = 1;
constexpr std::uint64_t kBehind = 2;

void put(Bytes& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
}

void put_vector(Bytes& out, const store::SyncVector& vector) {
  MARTLET_ASSERT(vector.generations.size() == vector.positions.size());
  for (std::size_t i = 0; i < vector.positions.size(); ++i) {
    put(out, vector.generations[i].value(), 4);
    put(out, vector.positions[i].value(), 8);
  }
}

// Reads what the length of the whole has promised.
class Reader {
 public:
  explicit Reader(BytesView bytes) : rest_(bytes) {}
  std::uint64_t number(std::size_t bytes) {
    MARTLET_ASSERT(rest_.size() >= bytes);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      value = value << 8 | static_cast<std::uint8_t>(rest_[i]);
    rest_.remove_prefix(bytes);
    return value;
  }
  store::SyncVector vector(std::uint16_t shards) {
    store::SyncVector vector;
    for (std::uint16_t i = 0; i < shards; ++i) {
      vector.generations.emplace_back(static_cast<std::uint32_t>(number(4)));
      vector.positions.emplace_back(number(8));
    }
    return vector;
  }

 private:
  BytesView rest_;
};

std::size_t vector_bytes(std::uint16_t shards) {
  return std::size_t{12} * shards;
}

// Positions go to the database as signed numbers.
bool is_sane(const store::SyncVector& vector) {
  for (const LogPosition position : vector.positions)
    if (position.value() > (1ULL << 62)) return false;
  return true;
}

}  // namespace

Bytes encode_sync_token(const store::SyncVector& told) {
  Bytes out(1, kToken);
  put_vector(out, told);
  return out;
}

std::optional<store::SyncVector> decode_sync_token(BytesView token, std::uint16_t shards) {
  if (token.size() != 1 + vector_bytes(shards) || token[0] != kToken) return std::nullopt;
  store::SyncVector told = Reader(token.substr(1)).vector(shards);
  if (!is_sane(told)) return std::nullopt;
  return told;
}

Bytes encode_sync_cursor(const SyncCursor& cursor) {
  Bytes out(1, kCursor);
  put(out, (cursor.since ? kHasSince : 0) | (cursor.behind ? kBehind : 0), 1);
  put(out, static_cast<std::uint64_t>(cursor.after), 8);
  put_vector(out, cursor.now);
  if (cursor.since) put_vector(out, *cursor.since);
  return out;
}

std::optional<SyncCursor> decode_sync_cursor(BytesView page, std::uint16_t shards) {
  constexpr std::size_t kFixed = 10;
  if (page.size() < kFixed || page[0] != kCursor) return std::nullopt;
  Reader reader(page.substr(1));
  const std::uint64_t flags = reader.number(1);
  const bool has_since = (flags & kHasSince) != 0;
  if (flags > (kHasSince | kBehind)) return std::nullopt;
  if (page.size() != kFixed + (has_since ? 2 : 1) * vector_bytes(shards)) return std::nullopt;
  SyncCursor cursor;
  cursor.behind = (flags & kBehind) != 0;
  const std::uint64_t after = reader.number(8);
  if (after > (1ULL << 62)) return std::nullopt;
  cursor.after = static_cast<std::int64_t>(after);
  cursor.now = reader.vector(shards);
  if (has_since) cursor.since = reader.vector(shards);
  if (!is_sane(cursor.now) || (cursor.since && !is_sane(*cursor.since))) return std::nullopt;
  return cursor;
}

}  // namespace martlet::persist
