#pragma once

#include <string_view>
#include <vector>

#include "lib/pg/connection.h"
#include "store/slices.h"
#include "store/types.h"

namespace martlet::store {

// The columns of a StoredRow, in the order that message_of() expects.
inline constexpr std::string_view kMessageColumns =
    "m.seq, m.message_id, m.time_ms, m.client_msg_id, m.generation, m.sender, m.content";

StoredRow message_of(const pg::Rows& rows, std::size_t row, int first_column,
                     const ConversationId& conversation);

// At least one message, whatever max_bytes says, if there is one.
SliceRows read_slices(pg::Transaction& tx, const std::vector<Slice>& slices, SeqOrder order,
                      std::size_t max_bytes);

}  // namespace martlet::store
