#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "bus/leases.h"

namespace martlet::bus {

// The keys and values of the lease bucket:
//   <kind>.beat.<member>  anything that changes; empty: the member has gone
//   <kind>.shard.<n>      JSON {"owner", "epoch", "published", "reached"}
// The write that takes a shard can't know its own revision: epoch 0 means "my revision".
std::string beat_key(std::string_view kind, std::string_view member);
std::string shard_key(std::string_view kind, ShardId shard);
std::optional<std::string> member_of_beat_key(std::string_view kind, std::string_view key);
std::optional<ShardId> shard_of_key(std::string_view kind, std::string_view key);

Bytes encode_record(const ShardRecord& record);
// What can't be read counts as given back.
ShardRecord decode_record(BytesView value, std::uint64_t revision);

}  // namespace martlet::bus
