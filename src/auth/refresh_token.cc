#include "auth/refresh_token.h"

#include <openssl/evp.h>

#include "base/assert.h"

namespace martlet::auth {
namespace {

constexpr std::string_view kPrefix = "mr1_";
constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kHashBytes = 32;

}  // namespace

std::string make_refresh_token(Random& random) {
  return std::string(kPrefix) + base::to_base64url(random.bytes(kRandomBytes));
}

Result<Bytes> hash_refresh_token(std::string_view token) {
  const auto invalid = [] { return fail(ErrorCode::kTokenInvalid, "no refresh token"); };
  if (!token.starts_with(kPrefix)) return invalid();
  const std::string_view encoded = token.substr(kPrefix.size());
  if (encoded.size() > 2 * kRandomBytes) return invalid();
  const auto secret = base::from_base64url(encoded);
  if (!secret || secret->size() != kRandomBytes) return invalid();
  Bytes hash(kHashBytes, '\0');
  unsigned size = 0;
  auto* data = reinterpret_cast<unsigned char*>(hash.data());
  const int done = EVP_Digest(token.data(), token.size(), data, &size, EVP_sha256(), nullptr);
  MARTLET_ASSERT(done == 1 && size == kHashBytes);
  return hash;
}

}  // namespace martlet::auth
