#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace martlet::base {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "assertion failed: %s file=%s line=%d\n", condition, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace martlet::base
