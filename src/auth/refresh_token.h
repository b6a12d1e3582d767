#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"

namespace martlet::auth {

// A refresh token: "mr1_" and 32 random bytes as base64url. Only its hash is stored; being random
// and long, it needs no salt.
std::string make_refresh_token(Random& random);

// SHA-256, 32 bytes. kTokenInvalid: not of that form.
Result<Bytes> hash_refresh_token(std::string_view token);

}  // namespace martlet::auth
