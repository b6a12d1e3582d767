// An entry of the log's stream. One that is read is what would be written, and as long as its size
// was foretold.
#include "wire/log_batch.h"

#include "base/assert.h"
#include "base/hash.h"
#include "input.h"
#include "model/limits.h"
#include "targets.h"
#include "wire/limits.h"

namespace martlet::fuzz {

void log_batch(BytesView bytes) {
  if (bytes.size() > kMaxInputBytes) return;
  const auto batch = wire::parse_batch(bytes);
  if (!batch) return;
  MARTLET_ASSERT(!batch->entries.empty());
  std::size_t size = wire::kBatchOverheadBytes;
  for (const wire::Entry& entry : batch->entries) {
    size += wire::size_in_batch(entry);
    if (!wire::is_ordered(entry.kind)) continue;
    MARTLET_ASSERT(entry.seq > Seq(0) && entry.seq <= Seq(wire::kMaxSeq));
    MARTLET_ASSERT(entry.content_hash == base::hash64(entry.content));
  }
  // Entries that share their parts may stand for more than a batch may hold.
  if (size > kMaxAppendBytes) return;
  const auto back = wire::parse_batch(wire::encode(*batch));
  MARTLET_ASSERT(back.has_value() && *back == *batch);
}

}  // namespace martlet::fuzz
