#include "persist/account_desk.h"

#include <algorithm>

#include "auth/password.h"
#include "auth/refresh_token.h"
#include "auth/token.h"
#include "base/log.h"
#include "bus/subjects.h"
#include "wire/answers.h"
#include "wire/envelopes.h"
#include "wire/group_answers.h"
#include "wire/group_requests.h"

namespace martlet::persist {
namespace {

std::uint64_t seconds_of(Duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

}  // namespace

void AccountDesk::handle(const ClientCallPtr& call) {
  switch (call->command()) {
    case wire::Command::Register:
      return handle_register(call);
    case wire::Command::Login:
      return handle_login(call);
    case wire::Command::Refresh:
      return handle_refresh(call);
    case wire::Command::Devices:
      return handle_devices(call);
    case wire::Command::SignOut:
      return handle_sign_out(call);
    case wire::Command::Auth:
      return handle_auth(call);
    default:
      call->refuse({ErrorCode::kUnknownCommand, "not answered here"});
  }
}

void AccountDesk::handle_register(const ClientCallPtr& call) {
  const auto body = wire::parse_register(call->body());
  if (!body) return call->refuse(body.error());
  if (parts_.options.registration == "closed")
    return call->refuse({ErrorCode::kRegistrationClosed, ""});
  parts_.hashes.submit<std::string>(
      call->wanted_until(),
      [password = std::string(body->password)] { return auth::hash_password(password); },
      [this, call, user = body->user](const Result<std::string>& hash) {
        if (!hash) return call->refuse(hash.error());
        parts_.store.create_account(user, *hash, parts_.loop.wall_ms(),
                                    [call, user](const Result<bool>& created) {
                                      if (!created) return call->refuse(created.error());
                                      if (!*created)
                                        return call->refuse({ErrorCode::kUserTaken, ""});
                                      call->answer(wire::encode(wire::Registered{user}));
                                    });
      });
}

void AccountDesk::handle_login(const ClientCallPtr& call) {
  const auto body = wire::parse_login(call->body());
  if (!body) return call->refuse(body.error());
  if (!body->token.empty()) return handle_outside_login(call, *body);
  parts_.store.find_password_hash(body->user,
                                  [this, call](const Result<std::optional<std::string>>& hash) {
                                    if (!hash) return call->refuse(hash.error());
                                    password_found(call, *hash);
                                  });
}

void AccountDesk::password_found(const ClientCallPtr& call,
                                 const std::optional<std::string>& hash) {
  parts_.hashes.submit<bool>(
      call->wanted_until(),
      [call, hash]() -> Result<bool> {
        const std::string_view password = wire::parse_login(call->body())->password;
        const bool has_one = hash && !hash->empty();
        return has_one ? auth::is_password(*hash, password) : auth::is_nobodys_password(password);
      },
      [this, call](const Result<bool>& right) {
        right ? password_checked(call, *right) : call->refuse(right.error());
      });
}

void AccountDesk::password_checked(const ClientCallPtr& call, bool right) {
  if (!right) return call->refuse({ErrorCode::kWrongPassword, ""});
  start_login(call, make_tokens(), parts_.options.access_token_life);
}

// Another service's token instead of a password: it is checked here and exchanged for ours, so that
// nobody else needs to know of it.
void AccountDesk::handle_outside_login(const ClientCallPtr& call, const wire::Login& login) {
  const WallMs now = parts_.loop.wall_ms();
  const auto claims = parts_.identity.verify(login.token, now);
  if (!claims) return call->refuse(claims.error());
  const bool is_device = claims->device.empty() || claims->device == login.device;
  if (claims->user != login.user || !is_device) {
    return call->refuse({ErrorCode::kTokenInvalid, "it is for another user or device"});
  }
  const Duration life = parts_.options.outside_login_life;
  NewTokens tokens = make_tokens();
  tokens.stored.vouched_until_ms = now + 1000 * seconds_of(life);
  start_login(call, tokens, std::min(life, parts_.options.access_token_life));
}

void AccountDesk::start_login(const ClientCallPtr& call, const NewTokens& tokens,
                              Duration access_life) {
  const wire::Login body = *wire::parse_login(call->body());
  parts_.store.start_login(
      body.user, body.device, tokens.stored,
      [this, call, tokens, access_life,
       holder = Holder{body.user, body.device}](const Result<store::LoginResult>& login) {
        if (!login) return call->refuse(login.error());
        switch (login->outcome) {
          case store::LoginOutcome::kBanned:
            return call->refuse({ErrorCode::kDeviceBanned, ""});
          case store::LoginOutcome::kNotTheirs:
            return call->refuse({ErrorCode::kUserTaken, "by somebody with a password"});
          case store::LoginOutcome::kDone:
            break;
        }
        for (const DeviceId& other : login->signed_out) kick(holder.user, other);
        parts_.metrics.devices_crowded_out(login->signed_out.size());
        answer_tokens(call, holder, tokens, access_life);
      });
}

void AccountDesk::look_at_keys() {
  const Result<bool> changed = parts_.identity.look();
  const std::string problem = changed ? "" : changed.error().detail;
  if (changed && *changed) {
    MARTLET_LOG(info, "identity_keys_changed");
  } else if (!problem.empty() && problem != problem_) {
    MARTLET_LOG(warn, "identity_keys_not_read why=\"{}\"", problem);
  }
  problem_ = problem;
}

void AccountDesk::handle_refresh(const ClientCallPtr& call) {
  const auto body = wire::parse_refresh(call->body());
  if (!body) return call->refuse(body.error());
  const auto hash = auth::hash_refresh_token(body->refresh_token);
  if (!hash) return call->refuse(hash.error());
  const NewTokens tokens = make_tokens();
  parts_.store.refresh(*hash, tokens.stored,
                       [this, call, tokens](const Result<store::RefreshResult>& result) {
                         if (!result) return call->refuse(result.error());
                         refreshed(call, tokens, *result);
                       });
}

void AccountDesk::refreshed(const ClientCallPtr& call, const NewTokens& tokens,
                            const store::RefreshResult& result) {
  switch (result.outcome) {
    case store::RefreshOutcome::kRepeated:
      parts_.metrics.refresh_repeated();
      [[fallthrough]];
    case store::RefreshOutcome::kRenewed:
      return answer_tokens(call, {result.user, result.device}, tokens,
                           parts_.options.access_token_life);
    case store::RefreshOutcome::kInvalid:
      return call->refuse({ErrorCode::kTokenInvalid, ""});
    case store::RefreshOutcome::kExpired:
      return call->refuse({ErrorCode::kTokenExpired, ""});
    case store::RefreshOutcome::kRevoked:
      return call->refuse({ErrorCode::kTokenRevoked, "the device must log in with its password"});
    case store::RefreshOutcome::kReused:
      break;
  }
  MARTLET_LOG(info, "refresh_token_reused user={} device={}", result.user.str(),
              result.device.str());
  parts_.metrics.device_revoked();
  kick(result.user, result.device);
  call->refuse({ErrorCode::kTokenRevoked, "used before: the device must log in again"});
}

// Its sessions end, wherever they are.
void AccountDesk::kick(const UserId& user, const DeviceId& device) {
  parts_.bus.publish(bus::subject::user(user),
                     wire::encode(wire::KickDevice{device, proto::KickReason::Revoked}));
}

void AccountDesk::handle_devices(const ClientCallPtr& call) {
  if (call->user().empty()) return call->refuse({ErrorCode::kNotAuthenticated, ""});
  if (const auto body = wire::parse_devices(call->body()); !body) return call->refuse(body.error());
  parts_.store.find_devices(
      call->user(), parts_.loop.wall_ms(),
      [call](const Result<std::vector<store::DeviceRow>>& rows) {
        if (!rows) return call->refuse(rows.error());
        wire::DeviceList list;
        for (const store::DeviceRow& row : *rows)
          list.devices.push_back({row.device, row.device == call->device(), row.last_login_ms});
        call->answer(wire::encode(list));
      });
}

void AccountDesk::handle_sign_out(const ClientCallPtr& call) {
  if (call->user().empty()) return call->refuse({ErrorCode::kNotAuthenticated, ""});
  const auto body = wire::parse_sign_out(call->body());
  if (!body) return call->refuse(body.error());
  const store::SignOutRequest request{call->user(), body->device, call->device()};
  parts_.store.sign_out(request, [this, call](const Result<std::vector<DeviceId>>& signed_out) {
    if (!signed_out) return call->refuse(signed_out.error());
    parts_.metrics.devices_signed_out(signed_out->size());
    call->answer(wire::encode(wire::SignedOut{static_cast<std::uint32_t>(signed_out->size())}));
    for (const DeviceId& device : *signed_out) kick(call->user(), device);
  });
}

// An edge knows that the token is good, not whether the device was signed out since. It asks before
// a session begins; the answer has no body.
void AccountDesk::handle_auth(const ClientCallPtr& call) {
  if (call->user().empty()) return call->refuse({ErrorCode::kNotAuthenticated, ""});
  parts_.store.is_revoked(call->user(), call->device(), [call](const Result<bool>& revoked) {
    if (!revoked) return call->refuse(revoked.error());
    if (*revoked) return call->refuse({ErrorCode::kTokenRevoked, "the device was signed out"});
    call->answer({});
  });
}

AccountDesk::NewTokens AccountDesk::make_tokens() {
  NewTokens tokens;
  tokens.refresh_token = auth::make_refresh_token(parts_.random);
  tokens.stored.hash = *auth::hash_refresh_token(tokens.refresh_token);
  tokens.stored.now_ms = parts_.loop.wall_ms();
  tokens.stored.expires_ms =
      tokens.stored.now_ms + 1000 * seconds_of(parts_.options.refresh_token_life);
  return tokens;
}

void AccountDesk::answer_tokens(const ClientCallPtr& call, const Holder& holder,
                                const NewTokens& tokens, Duration access_life) {
  const std::uint64_t life_s = seconds_of(access_life);
  const auth::TokenRules rules;
  auth::Claims claims;
  claims.issuer = rules.issuer;
  claims.audience = rules.audience;
  claims.user = holder.user;
  claims.device = holder.device;
  claims.issued_s = parts_.loop.wall_ms() / 1000;
  claims.expires_s = claims.issued_s + life_s;
  claims.id = auth::make_token_id(parts_.random);
  const std::string access_token = auth::sign_token(claims, parts_.key);
  call->answer(wire::encode(
      wire::Tokens{access_token, tokens.refresh_token, static_cast<std::uint32_t>(life_s)}));
}

}  // namespace martlet::persist
