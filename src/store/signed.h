#pragma once

#include <cstdint>

namespace martlet::store {

// PostgreSQL has no unsigned numbers; what must not go negative is bounded before it comes here.
inline std::int64_t as_signed(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

}  // namespace martlet::store
