#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "model/ids.h"
#include "wire/rpc.h"

namespace martlet::edge {

// Which sessions are told when to go where: spread evenly over a window, so that nobody is run over
// by those who come. A few need no window. Pure.
class MovePlan {
 public:
  struct Told {
    SessionId session;
    std::string to;  // empty: the address that they used
  };

  // sessions: those who may go, in no order of importance. Of moves as many are used as there are
  // sessions; with everybody, who is left over goes to the address that they used.
  enum class Who { kEverybody, kAsManyAsMoves };
  void start(std::vector<SessionId> sessions, const std::vector<wire::Move>& moves, Who who,
             Duration window, Random& random, MonotonicTime now);
  // Those whose moment has come.
  std::vector<Told> due(MonotonicTime now);
  bool is_done() const { return waiting_.empty(); }
  std::size_t planned() const { return planned_; }

 private:
  struct Waiting {
    MonotonicTime at;
    Told told;
  };
  std::deque<Waiting> waiting_;  // in the order of their moments
  std::size_t planned_ = 0;
};

}  // namespace martlet::edge
