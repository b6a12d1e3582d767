#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/trace_ring.h"

namespace martlet::api {

// One message of an answer. At least one of the two is there; both point into what it was made of.
struct TracedMessage {
  const wire::TraceRow* durable = nullptr;
  const TraceRing::Trace* trace = nullptr;
};

// What persist knows with the hops of the same messages, and then what only hops are known of.
std::vector<TracedMessage> join(const wire::TraceAnswer& durable,
                                const std::vector<const TraceRing::Trace*>& traces,
                                const TraceRing& ring);

// JSON (docs/operations.md). No content of any message is in it.
std::string trace_page(const wire::TraceAnswer& durable,
                       const std::vector<TracedMessage>& messages);

}  // namespace martlet::api
