#pragma once

#include <cstddef>
#include <set>

#include "model/conversation.h"

namespace martlet::dispatcher {

// Whose live events the broker's link had no room for: they are owed a RESYNC as soon as there is
// room again. Bounded; past the bound everyone is owed one. Pure.
class OwedResyncs {
 public:
  explicit OwedResyncs(std::size_t most) : most_(most) {}

  void add(const ConversationId& conversation);
  bool empty() const { return conversations_.empty() && !everyone_; }
  bool is_everyone() const { return everyone_; }
  // The next conversation whose users are to be told; null: none, or everyone.
  const ConversationId* next() const;
  // The next one, or everyone, was told.
  void told();

 private:
  const std::size_t most_;
  std::set<ConversationId> conversations_;
  bool everyone_ = false;
};

}  // namespace martlet::dispatcher
