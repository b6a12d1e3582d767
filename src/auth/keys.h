#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

struct evp_pkey_st;

namespace martlet::auth {

inline constexpr std::size_t kMaxKeys = 64;
inline constexpr std::size_t kMaxKeyFileBytes = 16 * 1024;
inline constexpr std::size_t kSignatureBytes = 64;

// Ed25519 keys by OpenSSL. Immutable after loading: any thread.
class PublicKey {
 public:
  // The text of a PEM file; another kind of key is refused.
  static Result<PublicKey> from_pem(std::string_view pem);
  bool verify(BytesView message, BytesView signature) const;
  std::string pem() const;
  Bytes raw() const;  // 32 bytes

 private:
  friend class SigningKey;
  explicit PublicKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

class SigningKey {
 public:
  static Result<SigningKey> generate(std::string kid);
  static Result<SigningKey> from_pem(std::string kid, std::string_view pem);
  // <kid>.pem
  static Result<SigningKey> load(const std::string& path);

  const std::string& kid() const { return kid_; }
  std::string pem() const;  // the secret itself
  Bytes sign(BytesView message) const;
  PublicKey public_key() const { return PublicKey(key_); }

 private:
  SigningKey(std::string kid, std::shared_ptr<evp_pkey_st> key)
      : kid_(std::move(kid)), key_(std::move(key)) {}
  std::string kid_;
  std::shared_ptr<evp_pkey_st> key_;
};

// The public keys that a token may be signed with, by key id: several, so that keys can be
// exchanged while tokens of the old one live.
class KeyRing {
 public:
  // Every <kid>.pem of a directory; a file that is no Ed25519 public key, or none at all, is an
  // error.
  static Result<KeyRing> load(const std::string& directory);

  void add(std::string kid, PublicKey key);
  // Null: unknown. Valid as long as the ring.
  const PublicKey* find(std::string_view kid) const;
  std::size_t size() const { return keys_.size(); }
  std::string names() const;  // with commas

 private:
  std::map<std::string, PublicKey, std::less<>> keys_;
};

// A ring that follows its directory, so that keys are exchanged without a restart. Any change of
// the files counts: names, times, sizes. One thread.
class KeyDirectory {
 public:
  static Result<KeyDirectory> open(std::string directory);
  const KeyRing& keys() const { return keys_; }
  // Reads the keys again if the files changed: true then. On an error, which may be a file that is
  // just being written, the keys stay as they were, and the next look tries again.
  Result<bool> look();

 private:
  KeyDirectory(std::string directory, std::string seen, KeyRing keys)
      : directory_(std::move(directory)), seen_(std::move(seen)), keys_(std::move(keys)) {}
  std::string directory_;
  std::string seen_;  // what the files looked like before they were read
  KeyRing keys_;
};

// Makes <directory>/signing/<kid>.pem (readable by its owner only) and
// <directory>/public/<kid>.pem. A pair that exists is kept, a public half that is missing is made
// again.
Result<void> generate_key_pair(const std::string& directory, const std::string& kid);

}  // namespace martlet::auth
