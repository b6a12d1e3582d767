#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

struct evp_pkey_st;

namespace martlet::auth {

inline constexpr std::size_t kMaxOutsideKeys = 64;
inline constexpr std::size_t kMaxJwksBytes = 64 * 1024;
// As many as the hash has (RFC 7518, 3.2).
inline constexpr std::size_t kLeastSecretBytes = 32;
inline constexpr std::size_t kMaxSecretBytes = 1024;

// The ways in which tokens of others may be signed (RFC 7518, RFC 8037).
enum class Algorithm : std::uint8_t { kHs256, kEs256, kEdDsa };
std::string_view algorithm_name(Algorithm algorithm);

// A key that another service's tokens are checked with, good for one algorithm alone. Any thread.
class OutsideKey {
 public:
  static Result<OutsideKey> shared_secret(BytesView secret);
  // 64 bytes, x and y.
  static Result<OutsideKey> p256(BytesView point);
  static Result<OutsideKey> ed25519(BytesView raw);

  Algorithm algorithm() const { return algorithm_; }
  bool verify(BytesView message, BytesView signature) const;

 private:
  OutsideKey(Algorithm algorithm, Bytes secret, std::shared_ptr<evp_pkey_st> key)
      : algorithm_(algorithm), secret_(std::move(secret)), key_(std::move(key)) {}

  Algorithm algorithm_;
  Bytes secret_;                      // kHs256
  std::shared_ptr<evp_pkey_st> key_;  // the others
};

// Keys by their id, which may be empty.
class OutsideKeys {
 public:
  void add(std::string kid, OutsideKey key);
  // The one of that id and algorithm. Without an id: the only one of the algorithm. A shared secret
  // has no id, and is found with any. Null: there is none.
  const OutsideKey* find(Algorithm algorithm, std::string_view kid) const;
  std::size_t size() const { return keys_.size(); }

 private:
  std::multimap<std::string, OutsideKey, std::less<>> keys_;
};

// A JWK Set (RFC 7517): adds its public keys for ES256 and EdDSA, and says how many of them are of
// another kind. Error: it is no set, has too many keys, a malformed one, or none of use.
Result<std::size_t> add_jwks(std::string_view json, OutsideKeys& keys);

}  // namespace martlet::auth
