#include "edge/metrics.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace martlet::edge {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  return result;
}

metrics::Label<CloseReason> close_label() {
  metrics::Label<CloseReason> label{"reason", {}};
  for (const auto& [reason, name] : kCloseReasons) label.values.emplace_back(reason, name);
  return label;
}

metrics::Label<wire::Command> command_label() {
  metrics::Label<wire::Command> label{"command", {}};
  for (const wire::CommandInfo& info : wire::all_commands()) {
    if (wire::is_request(info.command)) label.values.emplace_back(info.command, lower(info.name));
  }
  return label;
}

metrics::Label<ErrorCode> error_label() {
  metrics::Label<ErrorCode> label{"code", {}};
  for (const ErrorCode code : all_error_codes()) {
    label.values.emplace_back(code, lower(error_name(code)));
  }
  return label;
}

metrics::Label<DropReason> drop_label() {
  return {"reason",
          {{DropReason::kStaleOwner, "stale_owner"},
           {DropReason::kNoRequest, "no_request"},
           {DropReason::kLossySession, "lossy_session"},
           {DropReason::kMalformed, "malformed"},
           {DropReason::kUnknownMembers, "unknown_members"}}};
}

metrics::Label<ThrottledBy> throttle_label() {
  return {"by",
          {{ThrottledBy::kStranger, "stranger"},
           {ThrottledBy::kConnection, "connection"},
           {ThrottledBy::kUser, "user"}}};
}

}  // namespace

EdgeMetrics::EdgeMetrics(metrics::Registry& r)
    : connections_(r.gauge({"martlet_edge_connections", "connections", "Open connections."})),
      connection_limit_(r.gauge({"martlet_edge_connection_limit", "connections",
                                 "The configured edge.max_connections."})),
      sessions_(r.gauge({"martlet_edge_sessions", "sessions", "Authenticated connections."})),
      channels_(r.gauge({"martlet_edge_user_subscriptions", "subscriptions",
                         "Users whose subject this edge listens to."})),
      closes_(r.counters({"martlet_edge_closes_total", "connections", "Connections ended, by why."},
                         close_label())),
      frames_(r.counters({"martlet_edge_frames_total", "frames", "Requests taken from clients."},
                         command_label())),
      answer_time_(r.histograms(
          {"martlet_edge_answer_seconds", "seconds", "From taking a request to its answer."},
          command_label(), metrics::Buckets::seconds())),
      errors_(r.counters({"martlet_edge_errors_total", "frames", "Error frames sent to clients."},
                         error_label())),
      failed_(r.counters(
          {"martlet_edge_failed_total", "requests", "Requests answered by an error, by command."},
          command_label())),
      unanswered_(r.gauge({"martlet_edge_unanswered", "frames",
                           "Frames to owners of shards that wait for an answer."})),
      unanswered_bytes_(
          r.gauge({"martlet_edge_unanswered_bytes", "bytes", "What the unanswered frames hold."})),
      repeats_(r.counter({"martlet_edge_repeats_total", "frames",
                          "Frames published again because no answer came."})),
      waits_(r.counter({"martlet_edge_credit_waits_total", "frames",
                        "Frames that had to wait because their shard had no credit."})),
      events_(r.counter({"martlet_edge_events_total", "frames", "Live events sent to sessions."})),
      dropped_(r.counters({"martlet_edge_dropped_total", "messages",
                           "Messages of the bus, or live events, that were dropped."},
                          drop_label())),
      resyncs_(r.counter({"martlet_edge_resyncs_total", "frames", "RESYNC events sent."})),
      live_missed_(r.counter({"martlet_edge_live_missed_total", "messages",
                              "Messages that clients found by SYNC and should have had live."})),
      renewals_(r.counter({"martlet_edge_renewals_total", "subscriptions",
                           "Subscriptions of users begun anew because of that."})),
      standstills_(r.counter({"martlet_edge_standstills_total", "times",
                              "Times that the edge stood still for half a second or longer."})),
      slow_(r.counter({"martlet_edge_slow_consumers_total", "connections",
                       "Clients closed because they did not read."})),
      bytes_in_(r.counter({"martlet_edge_received_bytes_total", "bytes", "Bytes from clients."})),
      bytes_out_(r.counter({"martlet_edge_sent_bytes_total", "bytes", "Bytes to clients."})),
      bytes_queued_(r.gauge(
          {"martlet_edge_output_queue_bytes", "bytes", "Bytes that wait for clients to read."})),
      accept_pauses_(r.counter({"martlet_edge_accept_pauses_total", "pauses",
                                "Times without a free descriptor for a new connection."})),
      registry_dropped_(r.counter({"martlet_edge_registry_dropped_total", "commands",
                                   "Writes of the session directory that were left out."})),
      groups_(r.gauge({"martlet_edge_groups", "groups", "Groups with a member connected here."})),
      group_subscriptions_(r.gauge({"martlet_edge_group_subscriptions", "subscriptions",
                                    "Groups whose subject this edge listens to."})),
      group_questions_(r.counter({"martlet_edge_group_questions_total", "requests",
                                  "Questions to persist about who is in which group."})),
      typing_dropped_(r.counter({"martlet_edge_typing_dropped_total", "frames",
                                 "TYPING that went no further, because there was one before."})),
      moves_(r.counters<MoveReason>(
          {"martlet_edge_moves_total", "sessions", "Sessions that were told to go elsewhere."},
          {"reason", {{MoveReason::kDrain, "drain"}, {MoveReason::kRebalance, "rebalance"}}})),
      handshakes_(r.counters<HandshakeKind>(
          {"martlet_edge_tls_handshakes_total", "handshakes", "TLS handshakes that were done."},
          {"kind", {{HandshakeKind::kFull, "full"}, {HandshakeKind::kResumed, "resumed"}}})),
      reloads_(r.counters<ReloadResult>(
          {"martlet_edge_tls_reloads_total", "times", "Times the files of TLS were read anew."},
          {"result", {{ReloadResult::kDone, "done"}, {ReloadResult::kFailed, "failed"}}})),
      certificate_expires_(
          r.gauge({"martlet_edge_tls_certificate_expires_timestamp_seconds", "seconds",
                   "Unix time at which the certificate in use ends; 0: no TLS."})),
      strangers_(r.gauge({"martlet_edge_strangers", "connections",
                          "Open connections that have not authenticated."})),
      addresses_(r.gauge({"martlet_edge_addresses", "addresses",
                          "Counts and rates of addresses that are remembered."})),
      throttled_(r.gauge({"martlet_edge_throttled", "connections",
                          "Connections that are not read now because they were too fast."})),
      throttles_(r.histograms({"martlet_edge_throttle_seconds", "seconds",
                               "How long such a connection was not read, by whose rate."},
                              throttle_label(), metrics::Buckets::seconds())) {}

void EdgeMetrics::bytes(std::uint64_t in, std::uint64_t out, std::uint64_t queued) {
  advance(bytes_in_, in);
  advance(bytes_out_, out);
  bytes_queued_.set(std::int64_t(queued));
}

}  // namespace martlet::edge
