#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/error.h"
#include "model/conversation.h"
#include "model/ids.h"

namespace martlet::dispatcher {

// What was refused for good lately. An edge publishes a frame again when its answer takes long, and
// what stood against the message may have changed before the copy comes (its sender was let into
// the group): the copy must find the same refusal, or a message is in the log after its sender was
// told that it never will be. Bounded: with more than `most`, the oldest are forgotten. Loop
// thread.
class Refusals {
 public:
  explicit Refusals(std::size_t most) : most_(most) {}

  void add(const ConversationId& conversation, const UserId& sender, const ClientMsgId& id,
           ErrorCode code, MonotonicTime until);
  // kNone: it was not refused, or that is forgotten.
  ErrorCode find(const ConversationId& conversation, const UserId& sender,
                 const ClientMsgId& id) const;
  void forget_old(MonotonicTime now);
  std::size_t size() const { return codes_.size(); }

 private:
  struct Leaving {
    MonotonicTime until;
    const std::string* key;
  };
  void forget_oldest();

  const std::size_t most_;
  std::unordered_map<std::string, ErrorCode> codes_;  // its nodes do not move
  std::deque<Leaving> leaving_;                       // in the order of `until`
};

}  // namespace martlet::dispatcher
