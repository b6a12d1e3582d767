#include "dispatcher/refusals.h"

#include "dispatcher/window.h"

namespace martlet::dispatcher {

void Refusals::add(const ConversationId& conversation, const UserId& sender, const ClientMsgId& id,
                   ErrorCode code, MonotonicTime until) {
  const auto [place, is_new] = codes_.emplace(message_key(conversation, sender, id), code);
  if (!is_new) return;
  leaving_.push_back({until, &place->first});
  if (codes_.size() > most_) forget_oldest();
}

ErrorCode Refusals::find(const ConversationId& conversation, const UserId& sender,
                         const ClientMsgId& id) const {
  if (codes_.empty()) return ErrorCode::kNone;
  const auto found = codes_.find(message_key(conversation, sender, id));
  return found == codes_.end() ? ErrorCode::kNone : found->second;
}

void Refusals::forget_old(MonotonicTime now) {
  while (!leaving_.empty() && leaving_.front().until <= now) forget_oldest();
}

void Refusals::forget_oldest() {
  codes_.erase(codes_.find(*leaving_.front().key));
  leaving_.pop_front();
}

}  // namespace martlet::dispatcher
