#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace martlet::base {

// xxh3, 64 bits, seed 0. Decides shards and compares contents: never to be changed.
std::uint64_t hash64(BytesView bytes);

}  // namespace martlet::base
