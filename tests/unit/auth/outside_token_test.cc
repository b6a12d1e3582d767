#include "auth/outside_token.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/identity.h"
#include "auth/jwt_parts.h"
#include "auth/keys.h"

namespace martlet::auth {
namespace {

constexpr WallMs kNow = 1'700'000'000'000;
const char* const kClaims = R"("iss":"https://id.test","aud":"chat","sub":"ann","exp":1700000100)";

// ---- keys, by the examples of the standards
// ------------------------------------------------------

Bytes unbase(std::string_view text) {
  return base::from_base64url(text).value();
}

// RFC 7515, A.1 and A.3 (the same claims).
const std::string kClaimsOfRfc7515 =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ";
const std::string kHs256OfRfc7515 = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + kClaimsOfRfc7515 +
                                    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const std::string kEs256OfRfc7515 =
    "eyJhbGciOiJFUzI1NiJ9." + kClaimsOfRfc7515 +
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
// RFC 8037, A.4.
const std::string kEdDsaOfRfc8037 =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3"
    "AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

void expect_good_for(const OutsideKey& key, const std::string& token) {
  const auto parts = split_jwt(token).value();
  const Bytes signature = unbase(parts.signature);
  EXPECT_TRUE(key.verify(parts.signed_text, signature));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    Bytes changed = signature;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(key.verify(parts.signed_text, changed)) << i;
  }
  EXPECT_FALSE(key.verify(parts.payload, signature));
  EXPECT_FALSE(key.verify(parts.signed_text, signature + '\0'));
  EXPECT_FALSE(key.verify(parts.signed_text, ""));
  EXPECT_FALSE(key.verify(parts.signed_text, Bytes(64, '\0')));
}

TEST(OutsideKeysTest, ExamplesOfTheStandards) {
  expect_good_for(*OutsideKey::shared_secret(unbase(
                      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjA"
                      "zZr1Z9CAow")),
                  kHs256OfRfc7515);
  OutsideKeys keys;
  const auto unused = add_jwks(R"({"keys":[
      {"kty":"EC","crv":"P-256","kid":"a","use":"sig",
       "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
       "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
      {"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"b",
       "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
      {"kty":"RSA","kid":"c","n":"AQAB","e":"AQAB"},
      {"kty":"EC","crv":"P-384","kid":"d"}]})",
                               keys);
  ASSERT_TRUE(unused) << unused.error().detail;
  EXPECT_EQ(*unused, 2U);
  ASSERT_NE(keys.find(Algorithm::kEs256, "a"), nullptr);
  expect_good_for(*keys.find(Algorithm::kEs256, "a"), kEs256OfRfc7515);
  expect_good_for(*keys.find(Algorithm::kEdDsa, "b"), kEdDsaOfRfc8037);
}

TEST(OutsideKeysTest, AKeyIsFoundByItsIdOrAsTheOnlyOneOfItsAlgorithm) {
  OutsideKeys keys;
  const Bytes raw = SigningKey::generate("x")->public_key().raw();
  keys.add("one", *OutsideKey::ed25519(raw));
  EXPECT_NE(keys.find(Algorithm::kEdDsa, "one"), nullptr);
  EXPECT_NE(keys.find(Algorithm::kEdDsa, ""), nullptr);
  EXPECT_EQ(keys.find(Algorithm::kEdDsa, "two"), nullptr);
  EXPECT_EQ(keys.find(Algorithm::kEs256, "one"), nullptr);
  EXPECT_EQ(keys.find(Algorithm::kHs256, "one"), nullptr);
  keys.add("two", *OutsideKey::ed25519(raw));
  EXPECT_EQ(keys.find(Algorithm::kEdDsa, ""), nullptr) << "which of them?";
}

TEST(OutsideKeysTest, WhatIsNoSetOfPublicKeysIsRefused) {
  const std::string good =
      R"({"kty":"OKP","crv":"Ed25519","kid":"b","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
  std::string many;
  for (std::size_t i = 0; i <= kMaxOutsideKeys; ++i) many += (i == 0 ? "" : ",") + good;
  for (const std::string& bad :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"keys":{}})"),
        std::string(R"({"keys":[]})"), std::string(R"({"keys":[1]})"),
        std::string(R"({"keys":[{"kty":"RSA"}]})"),
        std::string(R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]})"),
        std::string(R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":7}]})"),
        std::string(
            R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPH)"
            R"(vRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}]})"),
        R"({"keys":[)" + good + "," + good + "]}", R"({"keys":[)" + many + "]}",
        R"({"keys":[)" + good.substr(0, good.size() - 1) + R"(,"d":"x"}]})",
        R"({"keys":[],"keys":[)" + good + "]}"}) {
    OutsideKeys keys;
    EXPECT_FALSE(add_jwks(bad, keys)) << bad.substr(0, 100);
  }
}

TEST(OutsideKeysTest, AShortSecretIsRefused) {
  EXPECT_FALSE(OutsideKey::shared_secret(Bytes(kLeastSecretBytes - 1, 's')));
  EXPECT_TRUE(OutsideKey::shared_secret(Bytes(kLeastSecretBytes, 's')));
}

// ---- tokens
// --------------------------------------------------------------------------------------

class OutsideTokenTest : public testing::Test {
 protected:
  OutsideTokenTest() {
    keys_.add("", *OutsideKey::shared_secret(secret_));
    keys_.add("k1", *OutsideKey::ed25519(key_.public_key().raw()));
    rules_.issuer = "https://id.test";
    rules_.audience = "chat";
  }
  static std::string text_of(const std::string& header, const std::string& payload) {
    return base::to_base64url(header) + "." + base::to_base64url(payload);
  }
  std::string by_secret(const std::string& payload,
                        const std::string& header = R"({"alg":"HS256"})") const {
    return with_hmac(text_of(header, payload), secret_);
  }
  static std::string with_hmac(const std::string& text, const Bytes& secret) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), base::as_u8(text),
         text.size(), mac, &size);
    return text + "." + base::to_base64url(base::as_view(mac, size));
  }
  std::string by_key(const std::string& payload,
                     const std::string& header = R"({"alg":"EdDSA","kid":"k1"})") const {
    const std::string text = text_of(header, payload);
    return text + "." + base::to_base64url(key_.sign(text));
  }
  static std::string claims(const std::string& more = "") {
    return std::string("{") + kClaims + (more.empty() ? "" : ",") + more + "}";
  }
  Result<OutsideClaims> check(const std::string& token, WallMs now = kNow) const {
    return verify_outside_token(token, keys_, rules_, now);
  }
  ErrorCode code(const std::string& token, WallMs now = kNow) const {
    const auto result = check(token, now);
    return result ? ErrorCode::kNone : result.error().code;
  }

  const Bytes secret_ = Bytes(kLeastSecretBytes, 's');
  SigningKey key_ = *SigningKey::generate("k1");
  OutsideKeys keys_;
  OutsideRules rules_;
};

TEST_F(OutsideTokenTest, GoodOnes) {
  for (const std::string& token :
       {by_secret(claims()), by_key(claims()), by_key(claims(), R"({"alg":"EdDSA"})"),
        by_secret(claims(), R"({"alg":"HS256","kid":"whatever","typ":"at+jwt","jku":"http://x"})"),
        by_key(claims(R"("roles":{"chat":["a","b"]},"nbf":1700000000.5,"iat":1700000030)"))}) {
    const auto result = check(token);
    ASSERT_TRUE(result) << result.error().detail;
    EXPECT_EQ(result->user.str(), "ann");
    EXPECT_TRUE(result->device.empty());
  }
}

TEST_F(OutsideTokenTest, TheKeySaysWhichAlgorithmItIsGoodFor) {
  // The public key is known to everybody: whoever takes it for a secret is deceived.
  const Bytes open = key_.public_key().raw();
  EXPECT_EQ(code(with_hmac(text_of(R"({"alg":"HS256","kid":"k1"})", claims()), open)),
            ErrorCode::kTokenInvalid);
  for (const char* header :
       {R"({"alg":"none"})", R"({"alg":"NONE","kid":"k1"})", R"({"alg":"ES256","kid":"k1"})",
        R"({"alg":"EdDSA","kid":"k2"})", R"({"alg":"EdDSA","kid":7})", R"({"kid":"k1"})",
        R"({"alg":"EdDSA","kid":"k1","crit":["exp"]})", R"({"alg":"EdDSA","kid":"k1","b64":false})",
        R"({"alg":"HS256","alg":"EdDSA","kid":"k1"})", R"([])", ""}) {
    EXPECT_EQ(code(by_key(claims(), header)), ErrorCode::kTokenInvalid) << header;
  }
  EXPECT_EQ(code(text_of(R"({"alg":"none"})", claims()) + "."), ErrorCode::kTokenInvalid);
}

TEST_F(OutsideTokenTest, ForUsAlone) {
  const auto with = [](const char* issuer, const char* audience) {
    return std::string(R"({"sub":"ann","exp":1700000100,"iss":)") + issuer + R"(,"aud":)" +
           audience + "}";
  };
  const char* const ours = R"("https://id.test")";
  EXPECT_EQ(code(by_key(with(ours, R"("chat")"))), ErrorCode::kNone);
  EXPECT_EQ(code(by_key(with(ours, R"(["mail","chat"])"))), ErrorCode::kNone);
  for (const char* audience : {R"("mail")", R"(["mail"])", "[]", "7", R"("")", R"([["chat"]])"})
    EXPECT_EQ(code(by_key(with(ours, audience))), ErrorCode::kTokenInvalid) << audience;
  for (const char* issuer : {R"("https://id.test/")", R"("")", "7", R"(["https://id.test"])"})
    EXPECT_EQ(code(by_key(with(issuer, R"("chat")"))), ErrorCode::kTokenInvalid) << issuer;
}

TEST_F(OutsideTokenTest, Times) {
  const std::string token = by_key(claims());
  EXPECT_EQ(code(token, 1'700'000'159'999), ErrorCode::kNone) << "clocks may differ by a minute";
  EXPECT_EQ(code(token, 1'700'000'160'000), ErrorCode::kTokenExpired);
  for (const char* name : {"nbf", "iat"}) {
    const std::string claim = std::string("\"") + name + "\":";
    EXPECT_EQ(code(by_key(claims(claim + "1700000060"))), ErrorCode::kNone);
    EXPECT_EQ(code(by_key(claims(claim + "1700000061"))), ErrorCode::kTokenInvalid);
    EXPECT_EQ(code(by_key(claims(claim + "\"1\""))), ErrorCode::kTokenInvalid);
  }
  const auto expiring = [this](const std::string& exp) {
    return code(by_key(R"({"iss":"https://id.test","aud":"chat","sub":"ann")" + exp + "}"));
  };
  EXPECT_EQ(expiring(""), ErrorCode::kTokenInvalid);
  for (const char* exp : {"-1", "1e300", "\"x\"", "null", "[]"})
    EXPECT_EQ(expiring(std::string(",\"exp\":") + exp), ErrorCode::kTokenInvalid) << exp;
}

TEST_F(OutsideTokenTest, ClaimsAreMapped) {
  rules_.user_claim = "login";
  rules_.device_claim = "dev";
  rules_.app_claim = "tenant";
  const auto with = [](const char* app, const char* user, const char* device) {
    return claims(std::string(R"("tenant":)") + app + R"(,"login":)" + user + R"(,"dev":)" +
                  device);
  };
  const auto good = check(by_key(with(R"("main")", R"("Ben_2")", R"("pad")")));
  ASSERT_TRUE(good) << good.error().detail;
  EXPECT_EQ(good->user.str(), "Ben_2");
  EXPECT_EQ(good->device.str(), "pad");
  EXPECT_EQ(code(by_key(with(R"("other")", R"("ben")", R"("pad")"))), ErrorCode::kTokenInvalid);
  for (const char* bad : {R"("auth0|7")", R"("")", "7", "null", R"({"a":1})"}) {
    EXPECT_EQ(code(by_key(with(R"("main")", bad, R"("pad")"))), ErrorCode::kBadId) << bad;
    EXPECT_EQ(code(by_key(with(R"("main")", R"("ben")", bad))), ErrorCode::kBadId) << bad;
  }
  EXPECT_EQ(code(by_key(claims())), ErrorCode::kTokenInvalid);
}

TEST_F(OutsideTokenTest, ShapeAndSize) {
  const std::string good = by_key(claims());
  for (const std::string& bad :
       {std::string(), std::string("a.b"), good + ".", good + "=", "=" + good, good + " "})
    EXPECT_EQ(code(bad), ErrorCode::kTokenInvalid);
  const auto deep = [](int depth) {
    return claims("\"x\":" + std::string(std::size_t(depth), '[') +
                  std::string(std::size_t(depth), ']'));
  };
  EXPECT_EQ(code(by_key(deep(kMaxClaimDepth - 1))), ErrorCode::kNone);
  EXPECT_EQ(code(by_key(deep(kMaxClaimDepth))), ErrorCode::kTokenInvalid);
  EXPECT_EQ(code(by_key(claims(R"("sub":"eve")"))), ErrorCode::kTokenInvalid) << "twice";
  EXPECT_EQ(code(by_key(claims(R"("x":{"a":1,"a":2})"))), ErrorCode::kTokenInvalid);
  EXPECT_EQ(code(by_key(claims(R"("x":{"a":1},"y":{"a":2})"))), ErrorCode::kNone);
  const auto of_size = [this](std::size_t padding) {
    return by_key(claims("\"x\":\"" + std::string(padding, 'x') + "\""));
  };
  std::size_t padding = 0;
  while (of_size(padding + 1).size() <= kMaxOutsideTokenBytes) ++padding;
  EXPECT_EQ(code(of_size(padding)), ErrorCode::kNone);
  EXPECT_EQ(code(of_size(padding + 1)), ErrorCode::kTokenInvalid);
}

TEST(IdentityTest, WhatIsMissingIsSaid) {
  EXPECT_FALSE(IdentityProvider().is_on());
  EXPECT_FALSE(IdentityProvider().verify("x", kNow));
  EXPECT_TRUE(IdentityProvider::open({}));
  IdentityOptions options;
  options.rules.issuer = "https://id.test";
  const auto audience = IdentityProvider::open(options);
  ASSERT_FALSE(audience);
  EXPECT_NE(audience.error().detail.find("identity.audience"), std::string::npos);
  options.rules.audience = "chat";
  const auto keys = IdentityProvider::open(options);
  ASSERT_FALSE(keys);
  EXPECT_NE(keys.error().detail.find("identity.jwks"), std::string::npos);
  options.jwks = "/nowhere/jwks.json";
  const auto file = IdentityProvider::open(options);
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().detail.find("/nowhere/jwks.json"), std::string::npos);
}

}  // namespace
}  // namespace martlet::auth
