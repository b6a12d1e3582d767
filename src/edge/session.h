#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "edge/close_reason.h"
#include "edge/limits.h"
#include "edge/sync_hints.h"
#include "edge/typing_throttle.h"
#include "model/ids.h"
#include "wire/commands.h"
#include "wire/frame.h"

namespace martlet::edge {

struct SessionLimits {
  Duration auth_timeout = std::chrono::seconds(10);
  Duration heartbeat = std::chrono::seconds(30);
  Duration token_grace = std::chrono::seconds(60);
  Duration output_stall = std::chrono::seconds(30);
  std::size_t max_unanswered = 64;
  std::size_t max_reads = 4;       // under way of those that are answered by a large page
  std::size_t max_json_reads = 1;  // in JSON the page is several times larger
};

enum class Phase {
  kConnecting,      // not authenticated; the few commands of an account are allowed
  kAuthenticating,  // AUTH is under way: nothing else is taken
  kAuthenticated,
};

// What a request is waiting for an answer of.
struct PendingRequest {
  wire::Command command = wire::Command::None;
  ClientMsgId client_msg_id;  // SEND only
  MonotonicTime since;
};

// The state of one client's connection and what may happen in it. Pure: time is an argument; the
// link (client_link.h) does the input and output.
class Session {
 public:
  Session(const SessionLimits& limits, MonotonicTime now);

  Phase phase() const { return phase_; }
  bool is_authenticated() const { return phase_ == Phase::kAuthenticated; }
  bool is_stranger() const { return phase_ == Phase::kConnecting; }
  // All three are empty before the first AUTH; while it is under way the id is.
  const SessionId& id() const { return id_; }
  const UserId& user() const { return user_; }
  const DeviceId& device() const { return device_; }
  // Of the first frame; answers are written in it.
  wire::Codec codec() const { return codec_.value_or(wire::Codec::kFlatBuffers); }

  // A frame came.
  void heard(wire::Codec codec, MonotonicTime now);
  // What must hold for every request, whatever its body says.
  Result<void> admit(const wire::CommandInfo* command, std::uint32_t request_id) const;
  // True: the request must wait until something under way is answered.
  bool must_wait(wire::Command command) const;

  // Requests with an id other than 0 that were admitted.
  void begin(std::uint32_t request_id, const PendingRequest& request);
  std::optional<PendingRequest> finish(std::uint32_t request_id, MonotonicTime now);
  const PendingRequest* find(std::uint32_t request_id) const;
  std::vector<std::uint32_t> unanswered() const;
  std::size_t unanswered_count() const { return pending_.size(); }
  bool is_syncing() const { return syncs_ > 0; }

  // AUTH. A session that is authenticated may only renew itself.
  Result<void> check_identity(const UserId& user, const DeviceId& device) const;
  void authenticating(const UserId& user, const DeviceId& device);
  void authentication_failed(MonotonicTime now);
  // A token was not good. True: it was one too many for a stranger.
  bool bad_token() { return is_stranger() && ++bad_tokens_ >= kMaxBadTokens; }
  void authenticated(const SessionId& id, MonotonicTime token_expires, MonotonicTime now);
  void renewed(MonotonicTime token_expires) { token_expires_ = token_expires; }

  // The link stopped or resumed to read. Silence counts only while we read.
  void reading(bool on, MonotonicTime now);
  // The output rose above its high mark, or is below the low mark again. `progress`: when the
  // client took bytes last.
  void output_blocked(MonotonicTime now) { blocked_since_ = now; }
  void output_progress(MonotonicTime progress);
  void output_drained() { blocked_since_.reset(); }
  bool is_output_blocked() const { return blocked_since_.has_value(); }

  // Live events were left out; RESYNC is owed.
  void mark_lossy() { lossy_ = true; }
  bool is_lossy() const { return lossy_; }
  void mark_repaired() { lossy_ = false; }

  // A message that its sender wants followed: kFlaggedPerSecond, kFlaggedBurst at once.
  bool may_flag(MonotonicTime now);

  TypingThrottle& typing() { return typing_; }
  SyncHints& hints() { return hints_; }

  // When overdue() is to be asked next.
  MonotonicTime deadline() const;
  std::optional<CloseReason> overdue(MonotonicTime now) const;

 private:
  const SessionLimits& limits_;
  Phase phase_ = Phase::kConnecting;
  std::optional<wire::Codec> codec_;
  SessionId id_;
  UserId user_;
  DeviceId device_;
  std::unordered_map<std::uint32_t, PendingRequest> pending_;
  std::size_t reads_ = 0;
  std::size_t syncs_ = 0;
  std::size_t bad_tokens_ = 0;
  TypingThrottle typing_;
  SyncHints hints_;
  MonotonicTime flags_paid_;  // until when those that were let pass stand for the rate
  bool lossy_ = false;
  bool reading_ = true;
  MonotonicTime heard_;
  MonotonicTime auth_deadline_;
  MonotonicTime token_expires_;
  std::optional<MonotonicTime> blocked_since_;
};

}  // namespace martlet::edge
