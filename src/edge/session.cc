#include "edge/session.h"

#include <algorithm>

#include "base/assert.h"

namespace martlet::edge {
namespace {

bool is_read(wire::Command command) {
  switch (command) {
    case wire::Command::Sync:
    case wire::Command::Fetch:
    case wire::Command::History:
    case wire::Command::GroupInfo:
    case wire::Command::GroupList:
    case wire::Command::Devices:
      return true;
    default:
      return false;
  }
}

bool is_account(wire::Command command) {
  return command == wire::Command::Register || command == wire::Command::Login ||
         command == wire::Command::Refresh || command == wire::Command::SignOut;
}

}  // namespace

Session::Session(const SessionLimits& limits, MonotonicTime now)
    : limits_(limits), heard_(now), auth_deadline_(now + limits.auth_timeout) {}

void Session::heard(wire::Codec codec, MonotonicTime now) {
  heard_ = now;
  if (!codec_) codec_ = codec;
}

Result<void> Session::admit(const wire::CommandInfo* command, std::uint32_t request_id) const {
  if (command == nullptr || !wire::is_request(command->command)) {
    return fail(ErrorCode::kUnknownCommand);
  }
  if (request_id == 0 && command->command != wire::Command::Ping) {
    return fail(ErrorCode::kBadRequestId, "this command needs a request id");
  }
  if (pending_.contains(request_id)) {
    return fail(ErrorCode::kBadRequestId, "the request id waits for an answer");
  }
  if (command->needs_auth && !is_authenticated()) return fail(ErrorCode::kNotAuthenticated);
  return {};
}

bool Session::must_wait(wire::Command command) const {
  if (phase_ == Phase::kAuthenticating || is_output_blocked()) return true;
  if (pending_.size() >= limits_.max_unanswered) return true;
  if (is_read(command)) {
    const bool json = codec() == wire::Codec::kJson;
    return reads_ >= (json ? limits_.max_json_reads : limits_.max_reads);
  }
  if (is_account(command)) {
    return std::any_of(pending_.begin(), pending_.end(),
                       [](const auto& item) { return is_account(item.second.command); });
  }
  return false;
}

void Session::begin(std::uint32_t request_id, const PendingRequest& request) {
  MARTLET_ASSERT(request_id != 0);
  const bool is_new = pending_.try_emplace(request_id, request).second;
  MARTLET_ASSERT(is_new);
  if (is_read(request.command)) ++reads_;
  if (request.command == wire::Command::Sync) ++syncs_;
}

std::optional<PendingRequest> Session::finish(std::uint32_t request_id, MonotonicTime now) {
  const auto found = pending_.find(request_id);
  if (found == pending_.end()) return std::nullopt;
  const PendingRequest request = found->second;
  pending_.erase(found);
  if (is_read(request.command)) --reads_;
  if (request.command == wire::Command::Sync) --syncs_;
  // Who registers and logs in has waited for us meanwhile.
  if (is_account(request.command)) auth_deadline_ = now + limits_.auth_timeout;
  return request;
}

const PendingRequest* Session::find(std::uint32_t request_id) const {
  const auto found = pending_.find(request_id);
  return found == pending_.end() ? nullptr : &found->second;
}

std::vector<std::uint32_t> Session::unanswered() const {
  std::vector<std::uint32_t> ids;
  ids.reserve(pending_.size());
  for (const auto& [id, request] : pending_) ids.push_back(id);
  return ids;
}

Result<void> Session::check_identity(const UserId& user, const DeviceId& device) const {
  if (!is_authenticated()) return {};
  if (user == user_ && device == device_) return {};
  return fail(ErrorCode::kAlreadyAuthenticated);
}

void Session::authenticating(const UserId& user, const DeviceId& device) {
  MARTLET_ASSERT(phase_ == Phase::kConnecting);
  phase_ = Phase::kAuthenticating;
  user_ = user;
  device_ = device;
}

void Session::authentication_failed(MonotonicTime now) {
  MARTLET_ASSERT(phase_ == Phase::kAuthenticating);
  phase_ = Phase::kConnecting;
  user_ = {};
  device_ = {};
  auth_deadline_ = now + limits_.auth_timeout;
}

void Session::authenticated(const SessionId& id, MonotonicTime token_expires, MonotonicTime now) {
  MARTLET_ASSERT(phase_ == Phase::kAuthenticating);
  phase_ = Phase::kAuthenticated;
  id_ = id;
  token_expires_ = token_expires;
  heard_ = now;
}

void Session::reading(bool on, MonotonicTime now) {
  if (on && !reading_) heard_ = now;
  reading_ = on;
}

void Session::output_progress(MonotonicTime progress) {
  if (blocked_since_) blocked_since_ = std::max(*blocked_since_, progress);
}

MonotonicTime Session::deadline() const {
  MonotonicTime deadline = MonotonicTime::max();
  if (reading_) deadline = heard_ + limits_.heartbeat;
  if (phase_ == Phase::kConnecting && pending_.empty())
    deadline = std::min(deadline, auth_deadline_);
  if (is_authenticated()) deadline = std::min(deadline, token_expires_ + limits_.token_grace);
  if (blocked_since_) deadline = std::min(deadline, *blocked_since_ + limits_.output_stall);
  return deadline;
}

std::optional<CloseReason> Session::overdue(MonotonicTime now) const {
  if (now < deadline()) return std::nullopt;
  if (blocked_since_ && now >= *blocked_since_ + limits_.output_stall) {
    return CloseReason::kSlowConsumer;
  }
  if (is_authenticated() && now >= token_expires_ + limits_.token_grace) {
    return CloseReason::kTokenExpired;
  }
  if (phase_ == Phase::kConnecting && pending_.empty() && now >= auth_deadline_) {
    return CloseReason::kAuthTimeout;
  }
  return CloseReason::kHeartbeat;
}

bool Session::may_flag(MonotonicTime now) {
  constexpr Duration kEach = Duration(std::chrono::seconds(1)) / kFlaggedPerSecond;
  const MonotonicTime from = std::max(flags_paid_, now);
  if (from - now > kEach * (kFlaggedBurst - 1)) return false;
  flags_paid_ = from + kEach;
  return true;
}

}  // namespace martlet::edge
