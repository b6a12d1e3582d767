#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "store/apply_rows.h"

namespace martlet::store {

// A message of a sender is in its conversation once. A client that lies about the age of a repeat
// can get it past the dispatcher, but no further: docs/adr/0011-repeats-at-the-store.md.
inline constexpr std::string_view kOnceIndex = "messages_once";

struct Repeats {
  std::vector<ApplyPlan::MessageRow> fresh;
  std::vector<ApplyPlan::MessageRow> repeats;  // of what is stored, or of a fresh one
  std::vector<ApplyPlan::MessageRow> lies;     // the repeats with another content
};

// Conversation, sender and what the sender called the message.
using RepeatKey = std::tuple<std::string, std::string, ClientMsgId>;
RepeatKey key_of(const wire::Entry& entry);
using StoredHashes = std::map<RepeatKey, std::uint64_t>;  // of the contents

// known: those of the messages that are stored already. Pure.
Repeats part_repeats(const std::vector<ApplyPlan::MessageRow>& messages, StoredHashes known);

// One statement, however many there are.
Repeats find_repeats(pg::Transaction& tx, const ApplyPlan& plan, const RowIds& ids);

// kNew: ids that nobody can foresee; the client's own are taken.
enum class TombstoneIds { kOwn, kNew };

// In the places of messages whose content is not stored: their seqs stay taken.
void write_tombstones(pg::Transaction& tx, const std::vector<ApplyPlan::MessageRow>& messages,
                      const RowIds& ids, TombstoneIds which);

}  // namespace martlet::store
