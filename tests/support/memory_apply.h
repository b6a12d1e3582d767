#pragma once

#include "store/types.h"
#include "support/memory_tables.h"

namespace martlet::test {

// What the database is told to be besides its tables.
struct MemoryApplyOptions {
  std::uint16_t shards = 16;
  // As if messages had a CHECK on the length of their content: longer ones are refused.
  std::size_t max_content_bytes = 0;  // 0: any
};

// store::apply() on tables in memory. made_ids counts the ids of tombstones made so far.
store::ApplyResult apply_to_tables(Tables& tables, const MemoryApplyOptions& options,
                                   const store::ApplyRequest& request, std::uint64_t& made_ids);

}  // namespace martlet::test
