#pragma once

#include "base/error.h"
#include "edge/close_reason.h"
#include "edge/frame_meter.h"
#include "metrics/registry.h"
#include "wire/commands.h"

namespace martlet::edge {

// Why a live event or an answer from the bus went nowhere.
enum class DropReason : std::uint8_t {
  kStaleOwner,      // of an owner that lost its shard
  kNoRequest,       // no request waits for this answer
  kLossySession,    // the session's output is full; RESYNC follows
  kMalformed,       // one of ours sent what does not verify
  kUnknownMembers,  // not known to be a member as of then; RESYNC follows
};

// Of TLS: with an earlier session, or without.
enum class HandshakeKind : std::uint8_t { kFull, kResumed };
// Of the files of TLS.
enum class ReloadResult : std::uint8_t { kDone, kFailed };

// Why a session was told to go elsewhere.
enum class MoveReason : std::uint8_t { kDrain, kRebalance };

// What an edge counts.
class EdgeMetrics {
 public:
  explicit EdgeMetrics(metrics::Registry& registry);

  void opened() { connections_.add(); }
  void closed(CloseReason reason) { connections_.sub(), closes_.at(reason).add(); }
  void refused_connection(CloseReason reason) { closes_.at(reason).add(); }
  void shook_hands(bool resumed) {
    handshakes_.at(resumed ? HandshakeKind::kResumed : HandshakeKind::kFull).add();
  }
  void certificate(std::int64_t expires_s) { certificate_expires_.set(expires_s); }
  void reloaded(bool done) {
    reloads_.at(done ? ReloadResult::kDone : ReloadResult::kFailed).add();
  }
  void strangers(std::size_t connections, std::size_t addresses) {
    strangers_.set(std::int64_t(connections)), addresses_.set(std::int64_t(addresses));
  }
  void throttled() { throttled_.add(); }
  void resumed(ThrottledBy by, Duration after) {
    throttled_.sub(), throttles_.at(by).observe(after);
  }
  void sessions(std::size_t count) { sessions_.set(std::int64_t(count)); }
  void channels(std::size_t count) { channels_.set(std::int64_t(count)); }
  void frame(wire::Command command) { frames_.at(command).add(); }
  void answered(wire::Command command, Duration took) { answer_time_.at(command).observe(took); }
  void error(ErrorCode code) { errors_.at(code).add(); }
  void failed(wire::Command command) { failed_.at(command).add(); }
  void unanswered(std::size_t frames, std::size_t bytes) {
    unanswered_.set(std::int64_t(frames)), unanswered_bytes_.set(std::int64_t(bytes));
  }
  void repeated(std::size_t frames) { repeats_.add(frames); }
  void credit_exhausted() { waits_.add(); }
  void event_delivered(std::size_t sessions) { events_.add(sessions); }
  void dropped(DropReason reason, std::size_t count = 1) { dropped_.at(reason).add(count); }
  void resync() { resyncs_.add(); }
  void live_missed(std::size_t messages) { live_missed_.add(messages); }
  void subscription_renewed() { renewals_.add(); }
  void stood_still() { standstills_.add(); }
  void slow_consumer() { slow_.add(); }
  void groups(std::size_t groups, std::size_t subscriptions) {
    groups_.set(std::int64_t(groups)), group_subscriptions_.set(std::int64_t(subscriptions));
  }
  void group_questions(std::uint64_t total) { advance(group_questions_, total); }
  void moved(bool draining) {
    moves_.at(draining ? MoveReason::kDrain : MoveReason::kRebalance).add();
  }
  void typing_dropped() { typing_dropped_.add(); }
  void bytes(std::uint64_t in, std::uint64_t out, std::uint64_t queued);
  void accept_pauses(std::uint64_t total) { advance(accept_pauses_, total); }
  void registry_dropped(std::uint64_t total) { advance(registry_dropped_, total); }
  void connection_limit(std::size_t limit) {
    connection_limit_.set(static_cast<std::int64_t>(limit));
  }

 private:
  // For sums that somebody else keeps.
  static void advance(metrics::Counter& counter, std::uint64_t total) {
    if (total > counter.value()) counter.add(total - counter.value());
  }

  metrics::Gauge& connections_;
  metrics::Gauge& connection_limit_;
  metrics::Gauge& sessions_;
  metrics::Gauge& channels_;
  metrics::Family<metrics::Counter, CloseReason> closes_;
  metrics::Family<metrics::Counter, wire::Command> frames_;
  metrics::Family<metrics::Histogram, wire::Command> answer_time_;
  metrics::Family<metrics::Counter, ErrorCode> errors_;
  metrics::Family<metrics::Counter, wire::Command> failed_;
  metrics::Gauge& unanswered_;
  metrics::Gauge& unanswered_bytes_;
  metrics::Counter& repeats_;
  metrics::Counter& waits_;
  metrics::Counter& events_;
  metrics::Family<metrics::Counter, DropReason> dropped_;
  metrics::Counter& resyncs_;
  metrics::Counter& live_missed_;
  metrics::Counter& renewals_;
  metrics::Counter& standstills_;
  metrics::Counter& slow_;
  metrics::Counter& bytes_in_;
  metrics::Counter& bytes_out_;
  metrics::Gauge& bytes_queued_;
  metrics::Counter& accept_pauses_;
  metrics::Counter& registry_dropped_;
  metrics::Gauge& groups_;
  metrics::Gauge& group_subscriptions_;
  metrics::Counter& group_questions_;
  metrics::Counter& typing_dropped_;
  metrics::Family<metrics::Counter, MoveReason> moves_;
  metrics::Family<metrics::Counter, HandshakeKind> handshakes_;
  metrics::Family<metrics::Counter, ReloadResult> reloads_;
  metrics::Gauge& certificate_expires_;
  metrics::Gauge& strangers_;
  metrics::Gauge& addresses_;
  metrics::Gauge& throttled_;
  metrics::Family<metrics::Histogram, ThrottledBy> throttles_;
};

}  // namespace martlet::edge
