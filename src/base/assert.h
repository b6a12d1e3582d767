#pragma once

// MARTLET_ASSERT(condition): a bug of ours ends the process at once, in every build. Never used on
// what a peer sent; that is a Result.

namespace martlet::base {

// Logs the failed condition and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace martlet::base

#define MARTLET_ASSERT(condition) \
  ((condition) ? void(0) : ::martlet::base::assertion_failed(#condition, __FILE__, __LINE__))
