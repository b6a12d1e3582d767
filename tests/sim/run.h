#pragma once

#include <cstdint>
#include <vector>

#include "sim/checker.h"
#include "sim/coverage.h"

namespace martlet::sim {

struct Outcome {
  std::vector<Finding> findings;
  Coverage coverage;
};

// The whole life of the world of a seed.
Outcome run_world(std::uint64_t seed);

// From now on what the processes log goes to standard output, with the world's time.
void start_trace();

}  // namespace martlet::sim
