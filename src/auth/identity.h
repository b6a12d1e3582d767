#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "auth/outside_keys.h"
#include "auth/outside_token.h"
#include "base/clock.h"
#include "base/result.h"

namespace martlet::auth {

struct IdentityOptions {
  OutsideRules rules;  // without an issuer: no tokens of others are taken
  std::string jwks;    // file with public keys; empty: none
  std::string secret;  // file with the shared secret; empty: none
};

// Another service that says who somebody is. Follows its files, so that keys are exchanged without
// a restart. One thread.
class IdentityProvider {
 public:
  // None: nothing is taken.
  IdentityProvider() = default;
  // Error: a file is of no use, or there is no key at all, or no audience.
  static Result<IdentityProvider> open(IdentityOptions options);

  bool is_on() const { return !options_.rules.issuer.empty(); }
  // kTokenInvalid also if it is not on.
  Result<OutsideClaims> verify(std::string_view token, WallMs now_ms) const;
  // Reads the files again if they changed: true then. On an error, which may be a file that is just
  // being written, the keys stay as they were, and the next look tries again.
  Result<bool> look();

 private:
  explicit IdentityProvider(IdentityOptions options) : options_(std::move(options)) {}
  Result<OutsideKeys> read() const;
  std::string look_of_files() const;

  IdentityOptions options_;
  std::string seen_;
  OutsideKeys keys_;
};

}  // namespace martlet::auth
