#pragma once

#include <chrono>
#include <map>

#include "base/clock.h"
#include "edge/limits.h"
#include "model/conversation.h"

namespace martlet::edge {

// That somebody is writing is passed on seldom, and for few conversations at a time. Pure.
class TypingThrottle {
 public:
  // True: it may go on.
  bool take(const ConversationId& conversation, MonotonicTime now) {
    std::erase_if(last_, [now](const auto& item) { return now - item.second >= kPeriod; });
    if (last_.size() >= kMaxTypingConversations) return false;
    return last_.try_emplace(conversation, now).second;
  }

 private:
  static constexpr Duration kPeriod = std::chrono::milliseconds(kTypingPeriodMs);
  std::map<ConversationId, MonotonicTime> last_;
};

}  // namespace martlet::edge
