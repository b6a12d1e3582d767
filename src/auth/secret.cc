#include "auth/secret.h"

#include <openssl/evp.h>

#include "base/assert.h"

namespace martlet::auth {
namespace {

constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kHashBytes = 32;

}  // namespace

std::string make_secret(std::string_view prefix, Random& random) {
  return std::string(prefix) + base::to_base64url(random.bytes(kRandomBytes));
}

Result<Bytes> hash_secret(std::string_view prefix, std::string_view token) {
  const auto invalid = [] { return fail(ErrorCode::kTokenInvalid, "no token of this kind"); };
  if (!token.starts_with(prefix)) return invalid();
  const std::string_view encoded = token.substr(prefix.size());
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
