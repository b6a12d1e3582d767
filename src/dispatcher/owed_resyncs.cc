#include "dispatcher/owed_resyncs.h"

#include "base/assert.h"

namespace martlet::dispatcher {

void OwedResyncs::add(const ConversationId& conversation) {
  if (everyone_) return;
  conversations_.insert(conversation);
  if (conversations_.size() <= most_) return;
  conversations_.clear();
  everyone_ = true;
}

const ConversationId* OwedResyncs::next() const {
  return conversations_.empty() ? nullptr : &*conversations_.begin();
}

void OwedResyncs::told() {
  MARTLET_ASSERT(!empty());
  if (everyone_) {
    everyone_ = false;
  } else {
    conversations_.erase(conversations_.begin());
  }
}

}  // namespace martlet::dispatcher
