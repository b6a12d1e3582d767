#pragma once

#include <cstddef>
#include <cstdint>

namespace martlet::api {

// An edge beats once a second; one that was silent for this long is taken for dead.
inline constexpr std::uint32_t kEdgeSilenceMs = 5'000;
// More edges than this are not remembered: somebody else is talking on our subject.
inline constexpr std::size_t kMaxEdges = 4'096;

}  // namespace martlet::api
