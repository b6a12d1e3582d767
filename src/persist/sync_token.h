#pragma once

#include <optional>

#include "base/bytes.h"
#include "store/types.h"

namespace martlet::persist {

// What devices keep between syncs; opaque to them. Layout: a byte for the kind and version, then
// numbers, big-endian. One of another layout, length or shard count does not decode.
Bytes encode_sync_token(const store::SyncVector& told);
std::optional<store::SyncVector> decode_sync_token(BytesView token, std::uint16_t shards);

// Where the next page of a sync goes on.
struct SyncCursor {
  std::optional<store::SyncVector> since;  // none: a first sync
  store::SyncVector now;                   // of the first page's snapshot: the token at the end
  std::int64_t after = 0;                  // row id of the last conversation told
  bool behind = false;
  friend bool operator==(const SyncCursor&, const SyncCursor&) = default;
};
Bytes encode_sync_cursor(const SyncCursor& cursor);
std::optional<SyncCursor> decode_sync_cursor(BytesView page, std::uint16_t shards);

}  // namespace martlet::persist
