// The lease bucket: a key, a line feed, a value.
#include "bus/lease_record.h"

#include "base/assert.h"
#include "input.h"
#include "targets.h"

namespace martlet::fuzz {

void lease_record(BytesView bytes) {
  constexpr std::uint64_t kRevision = 77;
  Input input(bytes);
  const BytesView key = input.take_until('\n');
  const auto member = bus::member_of_beat_key("persist", key);
  if (member.has_value()) MARTLET_ASSERT(bus::beat_key("persist", *member) == key);
  const auto shard = bus::shard_of_key("persist", key);
  MARTLET_ASSERT(!member.has_value() || !shard.has_value());
  if (shard.has_value()) {
    MARTLET_ASSERT(bus::shard_of_key("persist", bus::shard_key("persist", *shard)) == shard);
  }

  const bus::ShardRecord record = bus::decode_record(input.rest(), kRevision);
  MARTLET_ASSERT(record.epoch != Epoch(0));
  const bus::ShardRecord again = bus::decode_record(bus::encode_record(record), kRevision + 1);
  MARTLET_ASSERT(again.owner == record.owner && again.epoch == record.epoch);
  MARTLET_ASSERT(again.published == record.published && again.reached == record.reached);
}

}  // namespace martlet::fuzz
