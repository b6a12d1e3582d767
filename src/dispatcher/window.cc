#include "dispatcher/window.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace martlet::dispatcher {

std::string message_key(const ConversationId& conversation, const UserId& sender,
                        const ClientMsgId& id) {
  // Ids have no colon, so the three parts cannot run into each other.
  std::string key;
  key.reserve(conversation.str().size() + sender.str().size() + 1 + id.bytes.size());
  key.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
  key.append(sender.str()).append(1, ':').append(conversation.str());
  return key;
}

Window::Slot* Window::find(const ConversationId& conversation, const UserId& sender,
                           const ClientMsgId& id) {
  const auto found = messages_.find(message_key(conversation, sender, id));
  return found == messages_.end() ? nullptr : &*found;
}

Window::Slot* Window::open(const ConversationId& conversation, const UserId& sender,
                           const ClientMsgId& id, const KnownMessage& message) {
  MARTLET_ASSERT(message.open != nullptr);
  const auto [place, is_new] = messages_.emplace(message_key(conversation, sender, id), message);
  MARTLET_ASSERT(is_new);
  return &*place;
}

void Window::settle(Slot* slot, LogPosition position, MonotonicTime until) {
  MARTLET_ASSERT(slot->second.open != nullptr);
  slot->second.open = nullptr;
  slot->second.position = position;
  leaving_.push_back({until, &slot->first});
}

bool Window::add(const ConversationId& conversation, const UserId& sender, const ClientMsgId& id,
                 const KnownMessage& message, MonotonicTime until) {
  MARTLET_ASSERT(message.open == nullptr);
  const auto [place, is_new] = messages_.emplace(message_key(conversation, sender, id), message);
  if (is_new) leaving_.push_back({until, &place->first});
  return is_new;
}

void Window::forget_old(MonotonicTime now, LogPosition watermark) {
  while (!leaving_.empty() && leaving_.front().until <= now) {
    const auto found = messages_.find(*leaving_.front().key);
    MARTLET_ASSERT(found != messages_.end());
    if (found->second.position > watermark) return;
    raise_complete_since(found->second.time_ms);
    messages_.erase(found);
    leaving_.pop_front();
  }
}

void Window::raise_complete_since(WallMs time) {
  complete_since_ = std::max(complete_since_, time);
}

}  // namespace martlet::dispatcher
