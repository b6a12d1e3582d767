#include "base/random.h"

#include "base/assert.h"

namespace martlet {

std::uint64_t Random::below(std::uint64_t bound) {
  MARTLET_ASSERT(bound > 0);
  // Values past the last whole multiple would favour small results.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value = next();
  while (value >= limit) value = next();
  return value % bound;
}

Duration Random::jitter(Duration duration, double fraction) {
  const double unit = static_cast<double>(next() >> 11) / static_cast<double>(1ULL << 53);
  const double factor = 1.0 - fraction + 2.0 * fraction * unit;
  return Duration(static_cast<std::int64_t>(static_cast<double>(duration.count()) * factor));
}

Bytes Random::bytes(std::size_t size) {
  Bytes out;
  out.reserve(size + 8);
  while (out.size() < size) {
    const std::uint64_t word = next();
    out.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  out.resize(size);
  return out;
}

std::uint64_t SeededRandom::next() {
  std::uint64_t z = state_ += 0x9E3779B97F4A7C15ULL;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
  return z ^ z >> 31;
}

}  // namespace martlet
