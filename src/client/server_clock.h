#pragma once

#include <optional>

#include "base/clock.h"

namespace martlet::client {

// The server's time, as the answers of an edge told it last: for client_msg_ids, whose time the
// server compares with its own. A device whose clock is wrong then costs it nothing. Until the
// first answer it is the device's own wall clock.
//
// It goes on by the monotonic clock: it may fall behind, by the way of the answer and while the
// device sleeps, which costs a look-up; it never runs ahead, which could double a message.
class ServerClock final : public Clock {
 public:
  // The clock must outlive it.
  explicit ServerClock(const Clock& local) : local_(local) {}

  // 0: the server did not say.
  void told(WallMs time_ms);

  MonotonicTime now() const override { return local_.now(); }
  WallMs wall_ms() const override;

 private:
  struct Told {
    WallMs time_ms;
    MonotonicTime at;
  };
  const Clock& local_;
  std::optional<Told> told_;
};

}  // namespace martlet::client
