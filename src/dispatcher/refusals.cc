#include "dispatcher/refusals.h"

#include "dispatcher/window.h"

namespace martlet::dispatcher {

void Refusals::add(const ConversationId& conversation, const UserId& sender, const ClientMsgId& id,
                   const Refusal& refusal, MonotonicTime until) {
  const auto [place, is_new] = refusals_.emplace(message_key(conversation, sender, id), refusal);
  if (!is_new) return void(place->second.is_told |= refusal.is_told);
  leaving_.push_back({until, &place->first});
  if (refusals_.size() > most_) forget_oldest();
}

Refusals::Refusal Refusals::find(const ConversationId& conversation, const UserId& sender,
                                 const ClientMsgId& id) const {
  if (refusals_.empty()) return {};
  const auto found = refusals_.find(message_key(conversation, sender, id));
  return found == refusals_.end() ? Refusal() : found->second;
}

void Refusals::forget_old(MonotonicTime now) {
  while (!leaving_.empty() && leaving_.front().until <= now) forget_oldest();
}

void Refusals::forget_oldest() {
  refusals_.erase(refusals_.find(*leaving_.front().key));
  leaving_.pop_front();
}

}  // namespace martlet::dispatcher
