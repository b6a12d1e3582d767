#pragma once

#include <functional>
#include <string>

#include "client/link.h"
#include "client/store.h"

namespace martlet::client {

// Who we are, for LOGIN.
struct Proof {
  std::string password;  // empty: there is none
  // A token of another service, fresh each time that it is asked; null or empty: there is none.
  std::function<std::string()> token = {};
};

// Proves on one connection who we are: by the access token of the store, else with a new one for
// the refresh token, else by the password or another service's token. New tokens go to the store
// before they are used.
//
// Loop thread. Must live as long as the link has requests of it.
class SignIn {
 public:
  enum class Result : std::uint8_t {
    kDone,
    kRetry,   // not now: the server is busy or something behind it is away
    kRefused  // nothing that we have is accepted
  };
  // auth_ok: only with kDone; its views die with the call.
  using Done = std::function<void(Result, const Error&, const wire::AuthOk& auth_ok)>;

  // All but proof and done must outlive it.
  SignIn(event::Loop& loop, Link& link, Store& store, Proof proof, Done done);
  SignIn(const SignIn&) = delete;
  SignIn& operator=(const SignIn&) = delete;

  void start();
  // On a connection that is signed in: gets a new access token before the old one runs out.
  void renew();
  // An AUTH was sent, and nobody said what came of it.
  bool is_auth_open() const { return is_auth_open_; }

 private:
  void auth();
  void refresh();
  void login();
  void on_auth(const Answer& answer);
  void on_refresh(const Answer& answer);
  void on_login(const Answer& answer);
  bool take_tokens(BytesView body);
  void end(Result result, const Error& error);

  event::Loop& loop_;
  Link& link_;
  Store& store_;
  Proof proof_;
  Done done_;
  bool refreshed_ = false;
  bool logged_in_ = false;
  bool is_auth_open_ = false;
  event::Timer auth_deadline_;
};

}  // namespace martlet::client
