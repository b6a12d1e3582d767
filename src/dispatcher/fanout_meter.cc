#include "dispatcher/fanout_meter.h"

#include <algorithm>

namespace martlet::dispatcher {
namespace {

Rate rate_of(std::uint32_t per_second) {
  return {.count = per_second, .burst = per_second * kDeliveriesBurstSeconds};
}

}  // namespace

FanoutMeter::FanoutMeter(const FanoutRates& rates)
    : of_group_(rate_of(rates.group)),
      of_sender_(rate_of(rates.sender)),
      groups_(of_group_, kMaxFanoutBuckets),
      senders_(of_sender_, kMaxFanoutBuckets) {}

Duration FanoutMeter::charge(const ConversationId& group, const UserId& sender, std::size_t members,
                             MonotonicTime now) {
  TokenBucket* const all =
      of_group_.is_limited() ? &groups_.of(std::string(group.str()), now) : nullptr;
  TokenBucket* const own =
      of_sender_.is_limited() ? &senders_.of(group.str() + '/' + sender.str(), now) : nullptr;
  Duration wait(0);
  for (TokenBucket* bucket : {all, own}) {
    if (bucket != nullptr) wait = std::max(wait, bucket->wait(now));
  }
  if (wait > Duration(0)) return wait;
  for (TokenBucket* bucket : {all, own}) {
    if (bucket != nullptr) bucket->charge(double(members), now);
  }
  return wait;
}

}  // namespace martlet::dispatcher
