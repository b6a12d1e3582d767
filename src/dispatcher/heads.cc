#include "dispatcher/heads.h"

#include "base/assert.h"
#include "dispatcher/limits.h"

namespace martlet::dispatcher {

Head* Heads::find(const ConversationId& conversation) {
  const auto found = by_name_.find(conversation.str());
  if (found == by_name_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second.place);
  return &found->second.head;
}

Head& Heads::add(const ConversationId& conversation) {
  const auto [place, is_new] = by_name_.try_emplace(conversation.str());
  if (is_new) {
    order_.push_front(&place->first);
    place->second.place = order_.begin();
  } else {
    order_.splice(order_.begin(), order_, place->second.place);
  }
  return place->second.head;
}

void Heads::forget_surplus(LogPosition watermark) {
  auto candidate = order_.end();
  int kept = 0;
  while (by_name_.size() > limit_ && candidate != order_.begin() && kept < kMaxEvictionScan) {
    --candidate;
    const auto found = by_name_.find(**candidate);
    MARTLET_ASSERT(found != by_name_.end());
    const Head& head = found->second.head;
    if (head.open > 0 || head.last_position > watermark) {
      ++kept;
      continue;
    }
    candidate = order_.erase(candidate);
    by_name_.erase(found);
  }
}

}  // namespace martlet::dispatcher
