#include "auth/refresh_token.h"

#include "auth/secret.h"

namespace martlet::auth {

constexpr std::string_view kPrefix = "mr1_";

std::string make_refresh_token(Random& random) {
  return make_secret(kPrefix, random);
}

Result<Bytes> hash_refresh_token(std::string_view token) {
  return hash_secret(kPrefix, token);
}

}  // namespace martlet::auth
