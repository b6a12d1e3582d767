#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"

namespace martlet {

// A value, or why there is none. std::expected once all our compilers have it.
template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string detail = {},
                                  std::uint32_t retry_after_ms = 0) {
  return tl::unexpected<Error>(Error{code, std::move(detail), retry_after_ms});
}

}  // namespace martlet
