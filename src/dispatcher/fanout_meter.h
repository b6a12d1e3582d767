#pragma once

#include <string>

#include "base/recent_buckets.h"
#include "dispatcher/limits.h"
#include "model/conversation.h"
#include "model/ids.h"

namespace martlet::dispatcher {

// Deliveries a second: a message to a group counts once for each member, since it costs the edges
// about so much, while it costs its sender one frame. Zero: no limit.
struct FanoutRates {
  std::uint32_t group = kGroupDeliveriesPerSecond;
  std::uint32_t sender = kSenderDeliveriesPerSecond;  // in one group
};

// How fast messages go to groups: one member who floods a large group must not take it from the
// others, nor all of them together the edges from everybody. Bounded: who was quiet for longest is
// forgotten. Pure.
class FanoutMeter {
 public:
  explicit FanoutMeter(const FanoutRates& rates);

  // Zero: the message may go, and is paid for. Else it may not, for so long at least.
  Duration charge(const ConversationId& group, const UserId& sender, std::size_t members,
                  MonotonicTime now);

 private:
  const Rate of_group_;
  const Rate of_sender_;
  RecentBuckets<std::string> groups_;
  RecentBuckets<std::string> senders_;
};

}  // namespace martlet::dispatcher
