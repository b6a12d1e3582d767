#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>

#include "event/loop.h"

namespace martlet::test {

// How much longer than usual everything may take, as in scripts/martlet_cluster/patience.py.
inline std::chrono::seconds longer(std::chrono::seconds limit) {
  const char* factor = std::getenv("MARTLET_TEST_PATIENCE");
  return limit * (factor == nullptr ? 1 : std::max(std::atoi(factor), 1));
}

// Runs the loop until the condition holds. False: it did not within the limit.
inline bool run_until(event::Loop& loop, const std::function<bool()>& condition,
                      std::chrono::seconds limit = std::chrono::seconds(10)) {
  if (condition()) return true;
  const MonotonicTime deadline = loop.now() + longer(limit);
  bool holds = false;
  event::Timer timer(loop, [&] {
    holds = condition();
    if (holds || loop.now() > deadline) loop.stop();
  });
  timer.start_every(std::chrono::milliseconds(1));
  loop.run();
  return holds;
}

}  // namespace martlet::test
