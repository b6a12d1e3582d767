#include "edge/describe.h"

#include "edge/limits.h"
#include "net/proxy_header.h"
#include "net/tls.h"

namespace martlet::edge {

namespace {

std::vector<service::Limit> rates() {
  return {
      {"kFramesPerSecond", kFramesPerSecond, "frames", "default of edge.frames_per_second"},
      {"kFramesBurst", kFramesBurst, "frames", "default of edge.frames_burst"},
      {"kUserFramesPerSecond", kUserFramesPerSecond, "frames",
       "default of edge.user_frames_per_second"},
      {"kUserFramesBurst", kUserFramesBurst, "frames", "default of edge.user_frames_burst"},
      {"kStrangerFramesPerSecond", kStrangerFramesPerSecond, "frames",
       "default of edge.stranger_frames_per_second"},
      {"kStrangerFramesBurst", kStrangerFramesBurst, "frames",
       "default of edge.stranger_frames_burst"},
      {"kBytesPerFrameToken", kBytesPerFrameToken, "bytes",
       "of a body that count as one more frame of a rate"},
      {"kNamesPerFrameToken", kNamesPerFrameToken, "names",
       "in a change of a group that count as one more frame of a rate"},
      {"kMaxUserBuckets", kMaxUserBuckets, "users", "whose rate is remembered"},
      {"kMaxStrangers", kMaxStrangers, "connections", "default of edge.max_strangers"},
      {"kMaxStrangersPerAddress", kMaxStrangersPerAddress, "connections",
       "default of edge.max_strangers_per_address"},
      {"kMaxBodyBeforeAuth", kMaxBodyBeforeAuth, "bytes", "of the body of a frame before AUTH"},
      {"kMaxReadBeforeAuth", kMaxReadBeforeAuth, "bytes",
       "taken from the socket at once before AUTH"},
      {"kMaxProxyHeadersWaiting", kMaxProxyHeadersWaiting, "connections",
       "of proxies that have not said for whom"},
      {"kProxyHeaderTime", to_ms<std::uint64_t>(kProxyHeaderTime), "ms",
       "for a proxy to say for whom it connects"},
      {"kMaxProxyHeaderBytes", net::kMaxProxyHeaderBytes, "bytes", "of a PROXY header"},
      {"kMaxProxyRanges", kMaxProxyRanges, "ranges", "in edge.proxy_from"},
      {"kMaxHandshakesPerTurn", net::kMaxHandshakesPerTurn, "steps",
       "of TLS handshakes before the others have their turn; more wait in their order"},
      {"kMaxClientHelloBytes", net::kMaxClientHelloBytes, "bytes",
       "of the first message of a TLS handshake"},
      {"kMaxTicketKeys", net::kMaxTicketKeys, "keys", "in edge.tls_ticket_keys"},
      {"kTicketLife", to_ms<std::uint64_t>(net::kTicketLife), "ms",
       "after which a TLS session is not resumed"},
      {"kMaxBadTokens", kMaxBadTokens, "tokens",
       "that are not good, before a connection without AUTH is closed"},
      {"kMaxConnectionsPerAddress", kMaxConnectionsPerAddress, "connections",
       "default of edge.max_connections_per_address"},
      {"kAddressConnectsPerSecond", kAddressConnectsPerSecond, "connections",
       "default of edge.address_connects_per_second"},
      {"kAddressConnectsBurst", kAddressConnectsBurst, "connections",
       "default of edge.address_connects_burst"},
      {"kAddressLoginsPerSecond", kAddressLoginsPerSecond, "requests",
       "default of edge.address_logins_per_second"},
      {"kAddressLoginsBurst", kAddressLoginsBurst, "requests",
       "default of edge.address_logins_burst"},
      {"kWrongPasswordsPerMinute", kWrongPasswordsPerMinute, "passwords",
       "default of edge.wrong_passwords_per_minute"},
      {"kWrongPasswordsBurst", kWrongPasswordsBurst, "passwords",
       "default of edge.wrong_passwords_burst"},
      {"kMaxAddressBuckets", kMaxAddressBuckets, "addresses",
       "whose rate is remembered, for each kind"},
  };
}

}  // namespace

std::vector<service::Limit> limits() {
  std::vector<service::Limit> all{
      {"kMaxConnections", kMaxConnections, "connections", "default of edge.max_connections"},
      {"kMaxUnansweredPerConnection", kMaxUnansweredPerConnection, "requests",
       "that wait for an answer; at the limit the socket is not read"},
      {"kMaxReadsPerConnection", kMaxReadsPerConnection, "requests",
       "under way on a connection of those that are answered by a page"},
      {"kMaxJsonReadsPerConnection", kMaxJsonReadsPerConnection, "requests",
       "the same for a connection that speaks JSON"},
      {"kMaxUnansweredPerShard", kMaxUnansweredPerShard, "frames",
       "to one shard that wait for an answer"},
      {"kMaxUnansweredBytesPerShard", kMaxUnansweredBytesPerShard, "bytes",
       "of those frames; reached by the frame that passes it"},
      {"kFrameTimeoutMs", kFrameTimeoutMs, "ms",
       "after which an unanswered frame is refused as retryable"},
      {"kRpcTimeoutMs", kRpcTimeoutMs, "ms", "for an answer of persist"},
      {"kDeviceCheckMs", kDeviceCheckMs, "ms",
       "that AUTH waits to hear whether the device was signed out"},
      {"kMaxRpcsUnderWay", kMaxRpcsUnderWay, "requests", "to persist, of all connections"},
      {"kMaxGroupQuestions", kMaxGroupQuestions, "requests",
       "to persist about memberships that are under way"},
      {"kMaxGroupQuestionsWaiting", kMaxGroupQuestionsWaiting, "requests",
       "of that kind that wait for their turn"},
      {"kMaxUsersPerGroupQuestion", kMaxUsersPerGroupQuestion, "users",
       "of a group whom one such question names"},
      {"kGroupQuestionTimeoutMs", kGroupQuestionTimeoutMs, "ms", "for the answer to one"},
      {"kGroupsWaitMs", kGroupsWaitMs, "ms",
       "that a SYNC waits for the subscriptions to the user's groups"},
      {"kTypingPeriodMs", kTypingPeriodMs, "ms",
       "in which TYPING of a session goes on once for a conversation"},
      {"kMaxTypingConversations", kMaxTypingConversations, "conversations",
       "for which TYPING of a session goes on in that time"},
      {"kOutputHighMarkBytes", kOutputHighMarkBytes, "bytes", "default of edge.output_high_bytes"},
      {"kOutputLowMarkBytes", kOutputLowMarkBytes, "bytes", "default of edge.output_low_bytes"},
      {"kOutputHardLimitBytes", kOutputHardLimitBytes, "bytes",
       "default of edge.output_limit_bytes"},
      {"kMaxUnsentBytes", kMaxUnsentBytes, "bytes",
       "that the kernel takes for a client beyond what is on its way"},
      {"kMaxReadPerTurnBytes", kMaxReadPerTurnBytes, "bytes",
       "taken from one socket before the others have their turn"},
      {"kMaxTokenChecksPerTurn", kMaxTokenChecksPerTurn, "tokens",
       "checked before the others have their turn; AUTH beyond that waits in its order"},
      {"kMaxAccessTokenBytes", kMaxAccessTokenBytes, "bytes", "of an access token"},
      {"kStandstill", to_ms<std::uint64_t>(kStandstill), "ms",
       "without a turn of the loop: an edge listens to the broker before it publishes anything"},
      {"kCatchUpTime", to_ms<std::uint64_t>(kCatchUpTime), "ms", "for the broker to answer it"},
      {"kCloseDeadlineMs", kCloseDeadlineMs, "ms", "for a closing client to take its last words"},
      {"kDrainGrace", to_ms<std::uint64_t>(kDrainGrace), "ms",
       "a client may take to go after the window in which all are told"},
      {"kMovesPerSecond", kMovesPerSecond, "sessions",
       "that are told to go elsewhere need no window, each second"},
      {"kMovesTimeout", to_ms<std::uint64_t>(kMovesTimeout), "ms",
       "for the api's answer where sessions should go"},
      {"kSteadyTime", to_ms<std::uint64_t>(kSteadyTime), "ms",
       "sessions have not grown by more than a twentieth before the edge asks whether it has too "
       "many"},
      {"kMostDoublings", kMostDoublings, "times",
       "the time between two rebalancings is doubled while they come to nothing"},
      {"kStopCloseDeadlineMs", kStopCloseDeadlineMs, "ms", "the same while the edge stops"},
      {"kSpreadMs", kSpreadMs, "ms", "over which clients spread when all are told to sync"},
      {"kShortSpreadMs", kShortSpreadMs, "ms", "over which those spread who are told of a group"},
      {"kFewHints", kFewHints, "users", "of one group at once; more spread like all"},
  };
  const std::vector<service::Limit> more = rates();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace martlet::edge
