#include "event/turns.h"

#include <utility>

namespace martlet::event {

Turns::Turns(Loop& loop, std::size_t per_turn) : loop_(loop), per_turn_(per_turn) {}

bool Turns::take() {
  if (used_ == per_turn_ || !waiting_.empty()) return false;
  ++used_;
  schedule();
  return true;
}

void Turns::wait(Go go) {
  waiting_.push_back(std::move(go));
  schedule();
}

void Turns::schedule() {
  if (std::exchange(scheduled_, true)) return;
  loop_.post([self = self_] {
    if (*self != nullptr) (*self)->next_turn();
  });
}

// What is called may ask again, and is behind the others then.
void Turns::next_turn() {
  scheduled_ = false;
  used_ = 0;
  for (; used_ < per_turn_ && !waiting_.empty(); ++used_) {
    const Go go = std::move(waiting_.front());
    waiting_.pop_front();
    go();
  }
  if (used_ > 0) schedule();
}

}  // namespace martlet::event
