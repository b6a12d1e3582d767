#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "auth/outside_keys.h"
#include "base/clock.h"
#include "base/result.h"
#include "model/ids.h"

namespace martlet::auth {

inline constexpr std::size_t kMaxOutsideTokenBytes = 4 * 1024;
// That the clock of who made a token may be ahead or behind.
inline constexpr Duration kClockLeeway = std::chrono::seconds(60);
// Objects and lists inside of each other, in a token.
inline constexpr int kMaxClaimDepth = 8;

// Which tokens of another service are for us, and what its claims are called.
struct OutsideRules {
  std::string issuer;
  std::string audience;
  std::string app_claim;  // empty: all are for the only app there is
  std::string user_claim = "sub";
  std::string device_claim;  // empty: whoever presents the token says which device it is
};

struct OutsideClaims {
  UserId user;
  DeviceId device;  // empty: the token does not say
};

// Checks a JWT (RFC 7519) of another service: size, shape, strict base64url and JSON; that the key
// is one of ours and good for the algorithm that the header names; the signature; issuer, audience
// (one or several), exp, nbf and iat; that app, user and device are ids. kTokenExpired only for a
// token that is good but for the time; kBadId for a user or device that can be none of ours; else
// kTokenInvalid. Any thread.
Result<OutsideClaims> verify_outside_token(std::string_view token, const OutsideKeys& keys,
                                           const OutsideRules& rules, WallMs now_ms);

}  // namespace martlet::auth
