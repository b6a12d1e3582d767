#pragma once

#include <chrono>
#include <functional>

#include "event/loop.h"

namespace martlet::test {

// Runs the loop until the condition holds. False: it did not within the limit.
inline bool run_until(event::Loop& loop, const std::function<bool()>& condition,
                      std::chrono::seconds limit = std::chrono::seconds(10)) {
  if (condition()) return true;
  const MonotonicTime deadline = loop.now() + limit;
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
