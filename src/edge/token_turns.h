#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>

#include "event/loop.h"

namespace martlet::edge {

// Checking a signature takes longer than anything else on an edge's loop. Here so many are checked
// in a turn of it, whoever asks, and the others wait in their order: a crowd that comes back at
// once leaves those who are there already their turn. Loop thread; the loop outlives it.
class TokenTurns {
 public:
  using Go = std::function<void()>;

  TokenTurns(event::Loop& loop, std::size_t per_turn);
  ~TokenTurns() { *self_ = nullptr; }
  TokenTurns(const TokenTurns&) = delete;
  TokenTurns& operator=(const TokenTurns&) = delete;

  // True: one may be checked now. False: nobody is let in before those who wait.
  bool take();
  // go is called once, in a later turn, and one may be checked then.
  void wait(Go go);

 private:
  void next_turn();
  void schedule();

  event::Loop& loop_;
  const std::size_t per_turn_;
  std::size_t used_ = 0;
  bool scheduled_ = false;
  std::deque<Go> waiting_;
  std::shared_ptr<TokenTurns*> self_ = std::make_shared<TokenTurns*>(this);
};

}  // namespace martlet::edge
