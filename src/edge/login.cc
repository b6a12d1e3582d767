#include "edge/login.h"

#include <algorithm>

#include "base/log.h"
#include "edge/ask_persist.h"

namespace martlet::edge {
namespace {

constexpr std::uint32_t kRetryAfterMs = 1000;

Duration time_left(const EdgeContext& edge, const TokenClaims& claims) {
  const WallMs now = edge.clock.wall_ms();
  return std::chrono::milliseconds(claims.expires_ms > now ? claims.expires_ms - now : 0);
}

void answer_auth(EdgeContext& edge, ClientLink& link, std::uint32_t request_id,
                 const TokenClaims& claims) {
  const Session& session = link.session();
  const Duration left = time_left(edge, claims);
  link.answer(request_id, wire::Command::AuthOk,
              wire::encode(wire::AuthOk{
                  .user = session.user(),
                  .device = session.device(),
                  .session = session.id(),
                  .edge = edge.identity.name,
                  .heartbeat_ms = to_ms<std::uint32_t>(edge.options.session.heartbeat),
                  .tail_check_ms = to_ms<std::uint32_t>(edge.options.tail_check),
                  .max_body_bytes = kMaxBodyBytes,
                  .max_unanswered = std::uint32_t(edge.options.session.max_unanswered),
                  .expires_in_s = to_ms<std::uint32_t>(left) / 1000,
                  .time_ms = edge.clock.wall_ms(),
              }));
}

// Greater than any session of the device that this edge knows, whatever the wall clock does. Of the
// moment when AUTH was read: an edge that stood still since must not take the session away that the
// device, which gave this one up, has begun elsewhere meanwhile.
SessionId make_session_id(EdgeContext& edge, const TokenClaims& claims) {
  WallMs time_ms = edge.clock.wall_ms();
  for (ClientLink* link : edge.sessions.of_device(claims.user, claims.device)) {
    time_ms = std::max(time_ms, link->session().id().time_ms + 1);
  }
  return {time_ms, edge.random.next()};
}

registry::SessionRecord record_of(const EdgeContext& edge, const Session& session) {
  return {.user = session.user(),
          .device = session.device(),
          .session = session.id(),
          .edge = edge.identity.id,
          .address = edge.identity.address,
          .since_ms = session.id().time_ms};
}

void tell_others(EdgeContext& edge, const UserId& user, const wire::SessionStarted& session) {
  edge.channels.publish(user, wire::encode(session));
}

void fail_auth(EdgeContext& edge, ClientLink& link, std::uint32_t request_id, const Error& error) {
  edge.channels.detach(link.session().user());
  edge.sessions.remove_waiting(link);
  link.session().authentication_failed(edge.clock.now());
  link.finish(request_id);
  link.refuse(request_id, error);
}

void start_session(EdgeContext& edge, ClientLink& link, std::uint32_t request_id,
                   const TokenClaims& claims, const SessionId& id) {
  Session& session = link.session();
  const MonotonicTime now = edge.clock.now();
  edge.sessions.remove_waiting(link);
  session.authenticated(id, now + time_left(edge, claims), now);
  edge.sessions.add(link);
  edge.door.no_stranger(link.number());
  edge.groups.begin(claims.user);
  edge.metrics.sessions(edge.sessions.size());
  link.finish(request_id);
  answer_auth(edge, link, request_id, claims);
  link.reschedule();
  const wire::SessionStarted started{claims.device, id};
  on_session_started(edge, claims.user, started);
  if (link.has_ended()) return;
  tell_others(edge, claims.user, started);
  edge.registry.add(record_of(edge, session));
  MARTLET_LOG(debug, "session_started user={} device={} session={}", claims.user.str(),
              claims.device.str(), to_string(id));
}

}  // namespace

void begin_session(EdgeContext& edge, const Request& request, const TokenClaims& claims) {
  ClientLink& link = request.link;
  link.session().authenticating(claims.user, claims.device);
  edge.sessions.add_waiting(link);
  link.session().begin(request.id, {request.command, {}, edge.clock.now()});
  // end_session has detached what ended meanwhile.
  const auto find = [&edge, number = link.number()]() -> ClientLink* {
    ClientLink* found = edge.find_link(number);
    return found == nullptr || found->has_ended() ? nullptr : found;
  };
  const auto on_checked = [&edge, find, claims, id = request.id,
                           session = make_session_id(edge, claims)](bool is_revoked) {
    ClientLink* waiting = find();
    if (waiting == nullptr) return;
    if (!is_revoked) return start_session(edge, *waiting, id, claims, session);
    fail_auth(edge, *waiting, id, {ErrorCode::kTokenRevoked, "the device was signed out"});
  };
  edge.channels.attach(claims.user, [&edge, find, claims, on_checked,
                                     id = request.id](const Result<void>& subscribed) {
    ClientLink* waiting = find();
    if (waiting == nullptr) return;
    if (subscribed) return check_device(edge, claims.user, claims.device, on_checked);
    fail_auth(edge, *waiting, id,
              {ErrorCode::kUnavailable, "the broker does not answer", kRetryAfterMs});
  });
}

void renew_session(EdgeContext& edge, const Request& request, const TokenClaims& claims) {
  request.link.session().renewed(edge.clock.now() + time_left(edge, claims));
  request.link.reschedule();
  answer_auth(edge, request.link, request.id, claims);
}

void end_session(EdgeContext& edge, ClientLink& link) {
  Session& session = link.session();
  if (session.phase() == Phase::kConnecting) return;
  edge.channels.detach(session.user());
  if (!session.is_authenticated()) return edge.sessions.remove_waiting(link);
  for (const std::uint32_t id : session.unanswered()) edge.unanswered.drop({session.id(), id});
  edge.sessions.remove(link);
  edge.groups.end(session.user());
  edge.metrics.sessions(edge.sessions.size());
  edge.registry.remove(record_of(edge, session));
}

void on_session_started(EdgeContext& edge, const UserId& user, const wire::SessionStarted& other) {
  const SessionId nobody;
  for (ClientLink* link : edge.sessions.of_device(user, other.device)) {
    const SessionId& ours = link->session().id();
    const bool concerns_another = (other.answers != nobody && other.answers != ours) ||
                                  (other.after != nobody && other.after != ours);
    if (ours == other.session || concerns_another) continue;
    if (ours == other.answers) {
      tell_others(edge, user, {.device = other.device, .session = ours, .after = other.session});
    } else if (ours == other.after || ours < other.session) {
      link->kick(CloseReason::kReplaced, wire::KickReason::Replaced, false);
    } else {
      tell_others(edge, user, {.device = other.device, .session = ours, .answers = other.session});
    }
  }
}

}  // namespace martlet::edge
