#include "client/server_clock.h"

namespace martlet::client {

void ServerClock::told(WallMs time_ms) {
  if (time_ms > 0) told_ = Told{time_ms, local_.now()};
}

WallMs ServerClock::wall_ms() const {
  if (!told_) return local_.wall_ms();
  return told_->time_ms + to_ms<WallMs>(now() - told_->at);
}

}  // namespace martlet::client
