// What devices keep between syncs and bring back: which of the two, the number of shards, the
// bytes.
#include "persist/sync_token.h"

#include "base/assert.h"
#include "input.h"
#include "targets.h"

namespace martlet::fuzz {

void sync_token(BytesView bytes) {
  Input input(bytes);
  const bool is_cursor = (input.byte() & 1) != 0;
  const auto shards = static_cast<std::uint16_t>(1 + input.byte() % 4);
  if (is_cursor) {
    const auto cursor = persist::decode_sync_cursor(input.rest(), shards);
    if (!cursor) return;
    MARTLET_ASSERT(cursor->now.positions.size() == shards && cursor->after >= 0);
    MARTLET_ASSERT(persist::encode_sync_cursor(*cursor) == input.rest());
    return;
  }
  const auto told = persist::decode_sync_token(input.rest(), shards);
  if (!told) return;
  MARTLET_ASSERT(told->positions.size() == shards);
  MARTLET_ASSERT(persist::encode_sync_token(*told) == input.rest());
}

}  // namespace martlet::fuzz
