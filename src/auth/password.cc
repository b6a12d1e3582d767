#include "auth/password.h"

#include <sodium.h>

#include "base/assert.h"
#include "model/limits.h"

namespace martlet::auth {
namespace {

// Safe from several threads; after the first call it only looks at a flag.
void start_sodium() {
  MARTLET_ASSERT(sodium_init() >= 0);
}

bool has_good_length(std::string_view password) {
  return password.size() >= kMinPasswordBytes && password.size() <= kMaxPasswordBytes;
}

}  // namespace

Result<std::string> hash_password(std::string_view password, const PasswordCost& cost) {
  MARTLET_ASSERT(cost.operations >= kMinPasswordOperations);
  MARTLET_ASSERT(cost.memory_bytes >= kMinPasswordMemoryBytes);
  if (!has_good_length(password)) return fail(ErrorCode::kBadPassword);
  start_sodium();
  char hash[crypto_pwhash_STRBYTES];
  const int done = crypto_pwhash_str_alg(hash, password.data(), password.size(), cost.operations,
                                         cost.memory_bytes, crypto_pwhash_ALG_ARGON2ID13);
  if (done != 0) return fail(ErrorCode::kBusy, "no memory to hash a password", 1'000);
  return std::string(hash);
}

bool is_password(std::string_view stored_hash, std::string_view password) {
  // What can't have been set needs no look; a giant one must not be hashed either.
  if (!has_good_length(password) || stored_hash.size() >= crypto_pwhash_STRBYTES) return false;
  start_sodium();
  char hash[crypto_pwhash_STRBYTES] = {};
  stored_hash.copy(hash, stored_hash.size());
  return crypto_pwhash_str_verify(hash, password.data(), password.size()) == 0;
}

bool is_nobodys_password(std::string_view password, const PasswordCost& cost) {
  static_cast<void>(hash_password(password, cost));
  return false;
}

}  // namespace martlet::auth
