#include "auth/outside_keys.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>

#include <array>
#include <optional>
#include <utility>

#include "auth/openssl.h"
#include "auth/strict_json.h"
#include "base/assert.h"

namespace martlet::auth {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kCoordinateBytes = 32;  // of P-256, and half of a signature
constexpr std::size_t kRawSignatureBytes = 2 * kCoordinateBytes;
constexpr int kJwksDepth = 4;  // the set, its list, a key, and x5c or key_ops of one

tl::unexpected<Error> bad(std::string why) {
  return fail(ErrorCode::kBadContent, std::move(why));
}

bool is_hmac(const Bytes& secret, BytesView message, BytesView signature) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  const auto* made = HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                          base::as_u8(message), message.size(), mac.data(), &size);
  return made != nullptr && signature.size() == size &&
         CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
}

// JWS has the two numbers of a signature one behind the other, OpenSSL wants them as ASN.1.
Bytes to_der(BytesView raw) {
  const std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>> signature(ECDSA_SIG_new());
  const int half = static_cast<int>(kCoordinateBytes);
  BIGNUM* r = BN_bin2bn(base::as_u8(raw), half, nullptr);
  BIGNUM* s = BN_bin2bn(base::as_u8(raw.substr(kCoordinateBytes)), half, nullptr);
  MARTLET_ASSERT(signature && ECDSA_SIG_set0(signature.get(), r, s) == 1);
  unsigned char* encoded = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &encoded);
  MARTLET_ASSERT(size > 0);
  const Bytes der(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(size));
  OPENSSL_free(encoded);
  return der;
}

Result<Bytes> coordinate(const Json& jwk, const char* name) {
  auto bytes = base::from_base64url(text_of(jwk, name));
  if (!bytes || bytes->size() != kCoordinateBytes) {
    return bad(std::string("'") + name + "' is not 32 bytes as base64url");
  }
  return std::move(*bytes);
}

// None: of a kind that we do not use.
Result<std::optional<OutsideKey>> key_of(const Json& jwk) {
  const std::string type = text_of(jwk, "kty");
  const std::string curve = text_of(jwk, "crv");
  const std::string use = text_of(jwk, "use");
  const std::string algorithm = text_of(jwk, "alg");
  const bool is_p256 = type == "EC" && curve == "P-256";
  const bool is_ed25519 = type == "OKP" && curve == "Ed25519";
  if ((!is_p256 && !is_ed25519) || (!use.empty() && use != "sig")) return std::nullopt;
  if (!algorithm.empty() && algorithm != (is_p256 ? "ES256" : "EdDSA")) return std::nullopt;
  if (jwk.contains("d")) return bad("it is a private key, which does not belong here");
  auto x = coordinate(jwk, "x");
  if (!x) return tl::unexpected(x.error());
  Result<OutsideKey> key = bad("");
  if (is_ed25519) {
    key = OutsideKey::ed25519(*x);
  } else {
    const auto y = coordinate(jwk, "y");
    if (!y) return tl::unexpected(y.error());
    key = OutsideKey::p256(*x + *y);
  }
  if (!key) return tl::unexpected(key.error());
  return std::optional<OutsideKey>(std::move(*key));
}

}  // namespace

std::string_view algorithm_name(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kHs256:
      return "HS256";
    case Algorithm::kEs256:
      return "ES256";
    case Algorithm::kEdDsa:
      return "EdDSA";
  }
  return "?";
}

Result<OutsideKey> OutsideKey::shared_secret(BytesView secret) {
  if (secret.size() < kLeastSecretBytes) return bad("the secret has less than 32 bytes");
  return OutsideKey(Algorithm::kHs256, Bytes(secret), nullptr);
}

Result<OutsideKey> OutsideKey::p256(BytesView point) {
  MARTLET_ASSERT(point.size() == 2 * kCoordinateBytes);
  const Bytes uncompressed = '\x04' + Bytes(point);
  std::string group = "P-256";
  const std::array parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
      OSSL_PARAM_construct_octet_string(
          OSSL_PKEY_PARAM_PUB_KEY, const_cast<char*>(uncompressed.data()), uncompressed.size()),
      OSSL_PARAM_construct_end()};
  const std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  const bool is_point = EVP_PKEY_fromdata_init(context.get()) == 1 &&
                        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                                          const_cast<OSSL_PARAM*>(parameters.data())) == 1;
  if (!is_point) return bad("it is no point of the curve");
  return OutsideKey(Algorithm::kEs256, {}, {key, EVP_PKEY_free});
}

Result<OutsideKey> OutsideKey::ed25519(BytesView raw) {
  EVP_PKEY* key =
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, base::as_u8(raw), raw.size());
  if (key == nullptr) return bad("it is no Ed25519 key");
  return OutsideKey(Algorithm::kEdDsa, {}, {key, EVP_PKEY_free});
}

bool OutsideKey::verify(BytesView message, BytesView signature) const {
  if (algorithm_ == Algorithm::kHs256) return is_hmac(secret_, message, signature);
  if (signature.size() != kRawSignatureBytes) return false;
  if (algorithm_ == Algorithm::kEs256) {
    return is_signature(key_.get(), EVP_sha256(), message, to_der(signature));
  }
  return is_signature(key_.get(), nullptr, message, signature);
}

void OutsideKeys::add(std::string kid, OutsideKey key) {
  keys_.emplace(std::move(kid), std::move(key));
}

const OutsideKey* OutsideKeys::find(Algorithm algorithm, std::string_view kid) const {
  const OutsideKey* only = nullptr;
  for (const auto& [id, key] : keys_) {
    if (key.algorithm() != algorithm) continue;
    const bool is_meant = kid.empty() || algorithm == Algorithm::kHs256 || id == kid;
    if (!is_meant) continue;
    if (only != nullptr) return nullptr;
    only = &key;
  }
  return only;
}

Result<std::size_t> add_jwks(std::string_view text, OutsideKeys& keys) {
  const Json set = parse_strict_object(text, kJwksDepth);
  const auto list = set.is_object() ? set.find("keys") : set.end();
  if (!set.is_object() || list == set.end() || !list->is_array()) return bad("it is no JWK Set");
  if (list->size() > kMaxOutsideKeys) return bad("it has more than 64 keys");
  std::size_t unused = 0;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Json& jwk = (*list)[i];
    if (!jwk.is_object()) return bad("a key is no object");
    const std::string kid = text_of(jwk, "kid");
    auto key = key_of(jwk);
    if (!key) return bad("key " + std::to_string(i) + ": " + key.error().detail);
    if (!*key) {
      ++unused;
      continue;
    }
    if (keys.find((*key)->algorithm(), kid) != nullptr && !kid.empty()) {
      return bad("two keys have the id '" + kid + "'");
    }
    keys.add(kid, std::move(**key));
  }
  if (unused == list->size()) return bad("it has no key for ES256 or EdDSA");
  return unused;
}

}  // namespace martlet::auth
