#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/keys.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "model/ids.h"

namespace martlet::auth {

inline constexpr std::size_t kMaxTokenBytes = 4 * 1024;
inline constexpr std::size_t kMaxClaimBytes = 128;  // of issuer, audience and token id

// What our access tokens say: a JWT (RFC 7519) with the claims iss, aud, sub (the user), dev (the
// device), iat, exp (seconds since 1970) and jti.
struct Claims {
  std::string issuer;
  std::string audience;
  UserId user;
  DeviceId device;
  std::uint64_t issued_s = 0;
  std::uint64_t expires_s = 0;
  std::string id;
};

// Which tokens are for us.
struct TokenRules {
  std::string issuer = "martlet";
  std::string audience = "martlet";
};

// A token id: 16 random bytes as text.
std::string make_token_id(Random& random);

// Signed with EdDSA (RFC 8037). Claims with empty or overlong fields are a bug and assert.
std::string sign_token(const Claims& claims, const SigningKey& key);

// Checks everything: size, shape, strict base64url, that the header says EdDSA and names a key of
// the ring, the signature, all claims, issuer and audience, the time. A token is good until before
// its second `exp`. kTokenExpired only for a token that is good but for the time; else
// kTokenInvalid. Any thread.
Result<Claims> verify_token(std::string_view token, const KeyRing& keys, const TokenRules& rules,
                            WallMs now_ms);

}  // namespace martlet::auth
