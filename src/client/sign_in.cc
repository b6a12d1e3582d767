#include "client/sign_in.h"

#include <utility>

#include "client/limits.h"
#include "wire/requests.h"

namespace martlet::client {
namespace {

constexpr WallMs kExpiryMarginMs = 2'000;
constexpr const char* kClientName = "martlet-cpp/0.1";

bool is_about_token(ErrorCode code) {
  return code == ErrorCode::kTokenExpired || code == ErrorCode::kTokenInvalid ||
         code == ErrorCode::kTokenRevoked;
}

}  // namespace

SignIn::SignIn(event::Loop& loop, Link& link, Store& store, Proof proof, Done done)
    : loop_(loop),
      link_(link),
      store_(store),
      proof_(std::move(proof)),
      done_(std::move(done)),
      auth_deadline_(loop, [this] {
        end(Result::kRetry, Error{ErrorCode::kTimeout, "AUTH was not answered"});
      }) {}

void SignIn::start() {
  const Credentials& known = store_.state().credentials;
  const bool is_fresh = known.access_expires_ms > loop_.wall_ms() + kExpiryMarginMs;
  if (!known.access_token.empty() && is_fresh) return auth();
  renew();
}

void SignIn::renew() {
  store_.state().credentials.refresh_token.empty() ? login() : refresh();
}

void SignIn::end(Result result, const Error& error) {
  done_(result, error, {});
}

void SignIn::auth() {
  wire::Auth body;
  body.access_token = store_.state().credentials.access_token;
  body.client = kClientName;
  auth_deadline_.start_once(kAuthDeadline);
  is_auth_open_ = true;
  link_.request(wire::Command::Auth, wire::encode(body),
                [this](const Answer& answer) { on_auth(answer); });
}

void SignIn::on_auth(const Answer& answer) {
  auth_deadline_.cancel();
  if (answer.kind == Answer::Kind::kLost) return;
  is_auth_open_ = false;
  if (answer.kind == Answer::Kind::kBody) {
    const auto auth_ok = wire::parse_auth_ok(answer.body);
    if (!auth_ok) return end(Result::kRetry, auth_ok.error());
    return done_(Result::kDone, {}, *auth_ok);
  }
  const Error& error = answer.refusal.error;
  if (answer.refusal.retryable) return end(Result::kRetry, error);
  // A token that the server has only just given us will not get better by asking again.
  if (is_about_token(error.code) && !refreshed_ && !logged_in_) return renew();
  end(Result::kRefused, error);
}

void SignIn::refresh() {
  refreshed_ = true;
  wire::Refresh body;
  body.refresh_token = store_.state().credentials.refresh_token;
  link_.request(wire::Command::Refresh, wire::encode(body),
                [this](const Answer& answer) { on_refresh(answer); });
}

void SignIn::on_refresh(const Answer& answer) {
  if (answer.kind == Answer::Kind::kLost) return;
  if (answer.kind == Answer::Kind::kBody) {
    if (take_tokens(answer.body)) auth();
    return;
  }
  if (answer.refusal.retryable) return end(Result::kRetry, answer.refusal.error);
  if (proof_.password.empty() && !proof_.token) return end(Result::kRefused, answer.refusal.error);
  login();
}

void SignIn::login() {
  const Credentials& known = store_.state().credentials;
  const std::string token = proof_.token ? proof_.token() : std::string();
  if (proof_.password.empty() && token.empty()) {
    return end(Result::kRefused, Error{ErrorCode::kNotAuthenticated, "log in again"});
  }
  logged_in_ = true;
  wire::Login body;
  body.user = known.user;
  body.device = known.device;
  body.token = token;
  if (token.empty()) body.password = proof_.password;
  link_.request(wire::Command::Login, wire::encode(body),
                [this](const Answer& answer) { on_login(answer); });
}

void SignIn::on_login(const Answer& answer) {
  if (answer.kind == Answer::Kind::kLost) return;
  if (answer.kind == Answer::Kind::kBody) {
    if (take_tokens(answer.body)) auth();
    return;
  }
  const bool retry = answer.refusal.retryable;
  end(retry ? Result::kRetry : Result::kRefused, answer.refusal.error);
}

bool SignIn::take_tokens(BytesView body) {
  const auto tokens = wire::parse_tokens(body);
  if (!tokens) {
    end(Result::kRetry, tokens.error());
    return false;
  }
  Credentials fresh = store_.state().credentials;
  fresh.access_token = std::string(tokens->access_token);
  fresh.refresh_token = std::string(tokens->refresh_token);
  fresh.access_expires_ms = loop_.wall_ms() + WallMs{1000} * tokens->expires_in_s;
  store_.set_credentials(std::move(fresh));
  return true;
}

}  // namespace martlet::client
