#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "event/loop.h"
#include "support/socket_pair.h"

namespace martlet::net {

// Runs the loop until the condition holds; fails the test after ten seconds.
inline void run_until(event::Loop& loop, const std::function<bool()>& condition) {
  bool timed_out = false;
  event::Timer poll(loop, [&] {
    if (condition()) loop.stop();
  });
  event::Timer deadline(loop, [&] {
    timed_out = true;
    loop.stop();
  });
  poll.start_every(std::chrono::milliseconds(1));
  deadline.start_once(std::chrono::seconds(10));
  loop.run();
  ASSERT_FALSE(timed_out) << "the condition did not come true";
}

// Lets everything that is ready now happen, and what follows from it.
inline void run_turns(event::Loop& loop, int turns) {
  int left = turns;
  run_until(loop, [&] { return --left <= 0; });
}

using test::make_socket_pair;
using test::read_available;
using test::SocketPair;

}  // namespace martlet::net
