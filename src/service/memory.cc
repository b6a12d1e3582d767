#include "service/memory.h"

#include <malloc.h>

#include "service/limits.h"

namespace martlet::service {

// Other C libraries have other habits.
void keep_freed_memory() {
#ifdef __GLIBC__
  ::mallopt(M_TRIM_THRESHOLD, static_cast<int>(kKeptFreeBytes));
  ::mallopt(M_MMAP_THRESHOLD, static_cast<int>(kOwnMappingBytes));
#endif
}

}  // namespace martlet::service
