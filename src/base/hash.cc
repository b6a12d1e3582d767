#include "base/hash.h"

#include <xxhash.h>

namespace martlet::base {

std::uint64_t hash64(BytesView bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace martlet::base
