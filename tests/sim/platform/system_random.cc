// The randomness of src/base/system_random.cc, from the seed.
#include "base/random.h"
#include "sim/scheduler.h"

namespace martlet {

std::uint64_t SystemRandom::next() {
  return sim::Scheduler::get().process_random().next();
}

}  // namespace martlet
