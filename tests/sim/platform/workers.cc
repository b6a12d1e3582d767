// The threads of src/event/workers.cc: there are none, and no password is hashed in a simulation.
#include "event/workers.h"

#include <utility>

namespace martlet::event {

Workers::Workers(Loop& loop, std::size_t, Next next) : loop_(loop), next_(std::move(next)) {}

Workers::~Workers() {
  *alive_ = false;
}

void Workers::run(std::size_t) {}

void Workers::post(Task task) {
  loop_.post([alive = alive_, task = std::move(task)] {
    if (*alive) task();
  });
}

void Workers::drain() {}

}  // namespace martlet::event
