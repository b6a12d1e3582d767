#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "sim/run.h"

namespace martlet::sim {
namespace {

// What is counted in a world tells it from all others.
TEST(Simulation, TheSameSeedIsTheSameWorld) {
  spdlog::set_level(spdlog::level::off);
  for (const std::uint64_t seed : {7, 8, 9}) {
    const Outcome first = run_world(seed);
    const Outcome again = run_world(seed);
    EXPECT_EQ(first.coverage.all(), again.coverage.all()) << "seed " << seed;
    EXPECT_NE(first.coverage.all(), run_world(seed + 100).coverage.all());
  }
}

}  // namespace
}  // namespace martlet::sim
