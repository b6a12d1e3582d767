#include "dispatcher/published_tracker.h"

#include <utility>

#include "dispatcher/limits.h"

namespace martlet::dispatcher {

PublishedTracker::PublishedTracker(event::Loop& loop, bus::Bus& bus, bus::Leases& leases)
    : bus_(bus), leases_(leases), timer_(loop, [this] {
        if (!is_asking_ && !waiting_.empty()) confirm([] {});
      }) {
  timer_.start_every(kPublishedPeriod);
}

void PublishedTracker::flush(std::function<void()> done) {
  if (waiting_.empty()) return done();
  confirm(std::move(done));
}

void PublishedTracker::confirm(std::function<void()> done) {
  is_asking_ = true;
  auto asked = std::exchange(waiting_, {});
  bus_.after_publishes(kStepTimeout,
                       [this, alive = std::weak_ptr<int>(alive_), asked = std::move(asked),
                        done = std::move(done)](const Result<void>& result) {
                         if (alive.expired()) return;
                         is_asking_ = false;
                         // Without an answer nothing is known. A later publish of the shard tells
                         // for these, too; if the connection was lost the shard is taken over anew
                         // and published again.
                         if (result) {
                           for (const auto& [shard, position] : asked)
                             leases_.note_published(shard, position);
                         }
                         done();
                       });
}

}  // namespace martlet::dispatcher
