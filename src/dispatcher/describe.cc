#include "dispatcher/describe.h"

#include "dispatcher/limits.h"

namespace martlet::dispatcher {

std::vector<service::Limit> limits() {
  return {
      {"kWindowTime", to_ms<std::uint64_t>(kWindowTime), "ms", "least of dispatcher.window_s"},
      {"kClockMarginMs", kClockMarginMs, "ms",
       "clocks may differ by so much before duplicates are looked up"},
      {"kMaxAskersPerMessage", kMaxAskersPerMessage, "requests",
       "copies of a message answered by one append"},
      {"kMaxRefusals", kMaxRefusals, "messages",
       "of a shard refused for good and remembered for their copies"},
      {"kRefusalTime", to_ms<std::uint64_t>(kRefusalTime), "ms", "they are remembered at most"},
      {"kSenderDeliveriesPerSecond", kSenderDeliveriesPerSecond, "deliveries",
       "default of dispatcher.sender_deliveries_per_s"},
      {"kGroupDeliveriesPerSecond", kGroupDeliveriesPerSecond, "deliveries",
       "default of dispatcher.group_deliveries_per_s"},
      {"kDeliveriesBurstSeconds", kDeliveriesBurstSeconds, "s",
       "of either rate at once after a rest"},
      {"kMaxFanoutBuckets", kMaxFanoutBuckets, "groups",
       "of a shard whose rate is remembered, and as many senders in groups"},
      {"kMaxParkedFramesPerUser", kMaxParkedFramesPerUser, "frames",
       "of one user in one shard that wait for the database"},
      {"kMaxParkedBytes", kMaxParkedBytes, "bytes", "of a shard's frames that wait"},
      {"kParkingTime", to_ms<std::uint64_t>(kParkingTime), "ms", "a frame waits for the database"},
      {"kMaxColdItems", kMaxColdItems, "items", "in one question to the database"},
      {"kColdTimeout", to_ms<std::uint64_t>(kColdTimeout), "ms", "for its answer"},
      {"kMaxQueuedBytes", kMaxQueuedBytes, "bytes", "of a shard's entries that wait for an append"},
      {"kAppendTimeout", to_ms<std::uint64_t>(kAppendTimeout), "ms",
       "for an append to be acknowledged"},
      {"kMaxAnswersPerPublish", kMaxAnswersPerPublish, "answers", "in one message to an edge"},
      {"kMaxBufferedFrames", kMaxBufferedFrames, "frames", "kept while a shard is taken over"},
      {"kMaxBufferedBytes", kMaxBufferedBytes, "bytes", "of these frames"},
      {"kMaxRepublishedEntries", kMaxRepublishedEntries, "entries",
       "published live again after a take-over"},
      {"kMaxRepublishedBytes", kMaxRepublishedBytes, "bytes", "of these entries"},
      {"kMaxOwedResyncs", kMaxOwedResyncs, "conversations",
       "a shard whose live events found no room and that are hinted to sync; more: everyone"},
      {"kMaxResyncHints", kMaxResyncHints, "conversations", "hinted to sync for the rest"},
      {"kMaxAppendBytes", kMaxAppendBytes, "bytes", "in one append"},
  };
}

}  // namespace martlet::dispatcher
