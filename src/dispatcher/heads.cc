#include "dispatcher/heads.h"

#include <iterator>

#include "base/assert.h"
#include "base/planted.h"
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
    ++weight_;
    if (conversation.is_group()) place->second.head.group = std::make_unique<GroupHead>();
  } else {
    order_.splice(order_.begin(), order_, place->second.place);
  }
  return place->second.head;
}

void Heads::weigh(const ConversationId& conversation) {
  const auto found = by_name_.find(conversation.str());
  MARTLET_ASSERT(found != by_name_.end() && found->second.head.group != nullptr);
  weight_ -= found->second.weight;
  found->second.weight = 1 + found->second.head.group->weight();
  weight_ += found->second.weight;
}

void Heads::forget(const ConversationId& conversation) {
  const auto found = by_name_.find(conversation.str());
  MARTLET_ASSERT(found != by_name_.end());
  const Head& head = found->second.head;
  MARTLET_ASSERT(head.open == 0 && head.last_position == LogPosition());
  erase(found);
}

void Heads::erase(Map::iterator found) {
  weight_ -= found->second.weight;
  order_.erase(found->second.place);
  by_name_.erase(found);
}

void Heads::forget_surplus(LogPosition watermark) {
  const bool forgets = is_planted(Planted::kForgetWatermark);
  const LogPosition written = forgets ? LogPosition(UINT64_MAX) : watermark;
  auto candidate = order_.end();
  int kept = 0;
  while (weight_ > limit_ && candidate != order_.begin() && kept < kMaxEvictionScan) {
    --candidate;
    const auto found = by_name_.find(**candidate);
    MARTLET_ASSERT(found != by_name_.end());
    const Head& head = found->second.head;
    if (head.open > 0 || head.is_asked || head.last_position > written) {
      ++kept;
      continue;
    }
    candidate = std::next(candidate);
    erase(found);
  }
}

}  // namespace martlet::dispatcher
