#include "dispatcher/stored_waits.h"

#include <algorithm>
#include <utility>

namespace martlet::dispatcher {

bool StoredWaits::add(StoredWait wait) {
  const Key key{wait.asker.session, wait.message_id};
  if (keys_.contains(key)) return true;
  if (waits_.size() >= limit_) return false;
  keys_.insert(key);
  // Nearly always the last place: only a repeat waits for an older position.
  const auto place = std::upper_bound(
      waits_.begin(), waits_.end(), wait.position,
      [](LogPosition position, const StoredWait& other) { return position < other.position; });
  waits_.insert(place, std::move(wait));
  return true;
}

void StoredWaits::release(LogPosition watermark,
                          const std::function<void(const StoredWait&)>& take) {
  while (!waits_.empty() && waits_.front().position <= watermark) {
    const StoredWait& first = waits_.front();
    keys_.erase({first.asker.session, first.message_id});
    take(first);
    waits_.pop_front();
  }
}

}  // namespace martlet::dispatcher
