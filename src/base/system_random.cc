#include <sys/random.h>

#include "base/assert.h"
#include "base/random.h"

namespace martlet {

std::uint64_t SystemRandom::next() {
  std::uint64_t value = 0;
  MARTLET_ASSERT(::getrandom(&value, sizeof value, 0) == sizeof value);
  return value;
}

}  // namespace martlet
