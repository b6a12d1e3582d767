#include "api/describe.h"

#include "api/limits.h"
#include "auth/api_tokens.h"
#include "wire/limits.h"

namespace martlet::api {

std::vector<service::Limit> limits() {
  return {
      {"kEdgeSilenceMs", kEdgeSilenceMs, "ms",
       "an edge without a heartbeat for this long is taken for dead"},
      {"kMaxEdges", kMaxEdges, "edges", "that are remembered"},
      {"kStatusSilenceMs", kStatusSilenceMs, "ms",
       "a process that says nothing of itself for this long is told as gone"},
      {"kStatusKeptMs", kStatusKeptMs, "ms", "until it is forgotten"},
      {"kMaxServices", kMaxServices, "processes", "whose status is remembered"},
      {"kMaxStatusMemoryBytes", kMaxStatusMemoryBytes, "bytes", "of all of them together"},
      {"kMaxStatusBytes", wire::kMaxStatusBytes, "bytes", "of one of them"},
      {"kMaxStatusValues", wire::kMaxStatusValues, "values", "in one of them"},
      {"kRebalanceLeast", kRebalanceLeast, "sessions",
       "that an edge has above its share, at least, before it gives some away"},
      {"kScaleTurn", to_ms<std::uint64_t>(kScaleTurn), "ms",
       "between two changes of desired_edges in different directions"},
      {"kAdminTimeout", to_ms<std::uint64_t>(kAdminTimeout), "ms",
       "for persist to write down and do what people ask for"},
      {"kAuditRows", kAuditRows, "rows", "of the audit log in one answer, if no limit is given"},
      {"kMaxAuditRows", wire::kMaxAuditRows, "rows", "of the audit log in one answer"},
      {"kMaxApiTokens", auth::kMaxApiTokens, "tokens", "in the file api.tokens"},
      {"kMaxApiTokenFileBytes", auth::kMaxApiTokenFileBytes, "bytes", "of that file"},
      {"kMaxSampledTraces", kMaxSampledTraces, "messages",
       "followed by chance whose hops an api remembers"},
      {"kMaxFlaggedTraces", kMaxFlaggedTraces, "messages",
       "followed since their senders want it, the same"},
      {"kMaxTraceHops", kMaxTraceHops, "hops", "of all of them"},
      {"kMaxHopsPerTrace", kMaxHopsPerTrace, "hops", "of one message; more are counted"},
      {"kMaxTraceMembers", wire::kMaxTraceMembers, "members", "of a conversation in one answer"},
      {"kMaxTraceRows", wire::kMaxTraceRows, "messages",
       "with one client_msg_id in an answer, the newest"},
      {"kTraceTimeout", to_ms<std::uint64_t>(kTraceTimeout), "ms",
       "for persist to tell where a message is"},
      {"kFirstLook", to_ms<std::uint64_t>(kFirstLook), "ms",
       "an api listens before it answers, so that it has heard every edge"},
      {"kMaxListeners", kMaxListeners, "connections", "that listen to changes of the edges"},
      {"kStreamBeat", to_ms<std::uint64_t>(kStreamBeat), "ms",
       "between two signs of life of such a stream"},
  };
}

}  // namespace martlet::api
