#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"

// Tokens that mean nothing but that who has one was given it: a prefix that says what it is for,
// and 32 random bytes as base64url. Only hashes are stored; being random and long, they need no
// salt. For the .cc files of auth/ only.
namespace martlet::auth {

std::string make_secret(std::string_view prefix, Random& random);

// SHA-256, 32 bytes. kTokenInvalid: not of that form.
Result<Bytes> hash_secret(std::string_view prefix, std::string_view token);

}  // namespace martlet::auth
