#include "client/server_clock.h"

namespace martlet::client {

void ServerClock::told(WallMs time_ms) {
  if (time_ms > 0) told_ = Told{time_ms, local_.now()};
}

WallMs ServerClock::wall_ms() const {
  if (!told_) return local_.wall_ms();
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now() - told_->at);
  return told_->time_ms + static_cast<WallMs>(since.count());
}

}  // namespace martlet::client
