#pragma once

#include <optional>

#include "base/clock.h"

namespace martlet::edge {

// Which hints to sync a session is given: one is as good as many until its SYNC comes, and one that
// comes before the answer to a SYNC is taken for older than that answer, so it is repeated. Pure.
class SyncHints {
 public:
  // The client should sync until `by`. False: it will anyway.
  bool want(MonotonicTime by, bool is_syncing, MonotonicTime now);
  // The same, and it is written whatever was written before.
  void written(MonotonicTime by, bool is_syncing, MonotonicTime now);
  // A SYNC came, no further page of one: it tells all that was before.
  void asked();
  // Its last page went out. A time: hint now.
  std::optional<MonotonicTime> answered();

 private:
  std::optional<MonotonicTime> written_;  // and until when it is believed to work
  std::optional<MonotonicTime> owed_;
};

}  // namespace martlet::edge
