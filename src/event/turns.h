#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>

#include "event/loop.h"

namespace martlet::event {

// For work that takes longer than anything else on a loop, as checking a signature does: so much of
// it is done in a turn, whoever asks, and the others wait in their order. A crowd that comes at
// once leaves those who are there already their turn. Loop thread; the loop outlives it.
class Turns {
 public:
  using Go = std::function<void()>;

  Turns(Loop& loop, std::size_t per_turn);
  ~Turns() { *self_ = nullptr; }
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // True: one may go now. False: nobody is let in before those who wait.
  bool take();
  // go is called once, in a later turn, and may do its work then.
  void wait(Go go);

 private:
  void next_turn();
  void schedule();

  Loop& loop_;
  const std::size_t per_turn_;
  std::size_t used_ = 0;
  bool scheduled_ = false;
  std::deque<Go> waiting_;
  std::shared_ptr<Turns*> self_ = std::make_shared<Turns*>(this);
};

}  // namespace martlet::event
