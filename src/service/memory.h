#pragma once

namespace martlet::service {

// A turn of the loop takes memory and frees it again. By default glibc hands most of that back to
// the kernel at once, and the next turn pays for it again, page by page (a tenth of an edge's CPU
// when it fans out, measured). This keeps a bounded part of it in the process. Once, at the start.
void keep_freed_memory();

}  // namespace martlet::service
