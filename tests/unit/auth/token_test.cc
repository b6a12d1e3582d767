#include "auth/token.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace martlet::auth {
namespace {

constexpr std::uint64_t kExpiresS = 1'700'000'000;
constexpr WallMs kNow = (kExpiresS - 60) * 1000;

const char* const kGoodHeader = R"({"alg":"EdDSA","kid":"k1","typ":"JWT"})";
const char* const kGoodPayload =
    R"({"iss":"martlet","aud":"martlet","sub":"bob","dev":"phone","iat":1,"exp":1700000000,"jti":"x"})";

class TokenTest : public testing::Test {
 protected:
  TokenTest() { keys.add("k1", key.public_key()); }

  Claims claims() const {
    return {
        "martlet", "martlet",  *UserId::parse("bob"), *DeviceId::parse("phone"), kExpiresS - 3600,
        kExpiresS, "the-token"};
  }
  // Signs any header and payload with the good key.
  std::string forge(const std::string& header, const std::string& payload) const {
    const std::string text = base::to_base64url(header) + "." + base::to_base64url(payload);
    return text + "." + base::to_base64url(key.sign(text));
  }
  ErrorCode check(std::string_view token, WallMs now = kNow) const {
    const auto result = verify_token(token, keys, TokenRules{}, now);
    return result ? ErrorCode::kNone : result.error().code;
  }

  SigningKey key = *SigningKey::generate("k1");
  SigningKey other_key = *SigningKey::generate("k1");
  KeyRing keys;
};

TEST_F(TokenTest, SaysWhatWasSigned) {
  const auto got = verify_token(sign_token(claims(), key), keys, TokenRules{}, kNow);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->user.str(), "bob");
  EXPECT_EQ(got->device.str(), "phone");
  EXPECT_EQ(got->issued_s, kExpiresS - 3600);
  EXPECT_EQ(got->expires_s, kExpiresS);
  EXPECT_EQ(got->id, "the-token");
}

TEST_F(TokenTest, ForgedTokensOfTheseTestsAreGoodUnlessSpoiled) {
  EXPECT_EQ(check(forge(kGoodHeader, kGoodPayload)), ErrorCode::kNone);
}

TEST_F(TokenTest, RunsOutWithItsSecond) {
  const std::string token = sign_token(claims(), key);
  EXPECT_EQ(check(token, kExpiresS * 1000 - 1), ErrorCode::kNone);
  EXPECT_EQ(check(token, kExpiresS * 1000), ErrorCode::kTokenExpired);
}

TEST_F(TokenTest, AlgorithmNoneIsInvalid) {
  const std::string header = base::to_base64url(R"({"alg":"none","kid":"k1","typ":"JWT"})");
  EXPECT_EQ(check(header + "." + base::to_base64url(kGoodPayload) + "."), ErrorCode::kTokenInvalid);
  for (const char* alg : {"none", "None", "NONE", "", "eddsa", "EDDSA", "ES256", "Ed25519"}) {
    const std::string text = std::string(R"({"alg":")") + alg + R"(","kid":"k1"})";
    EXPECT_EQ(check(forge(text, kGoodPayload)), ErrorCode::kTokenInvalid) << alg;
  }
}

TEST_F(TokenTest, HmacWithThePublicKeyAsSecretIsInvalid) {
  for (const std::string& secret : {key.public_key().pem(), key.public_key().raw()}) {
    for (const char* alg : {"HS256", "EdDSA"}) {
      const std::string header = std::string(R"({"alg":")") + alg + R"(","kid":"k1","typ":"JWT"})";
      const std::string text = base::to_base64url(header) + "." + base::to_base64url(kGoodPayload);
      unsigned char mac[EVP_MAX_MD_SIZE];
      unsigned size = 0;
      HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
      const BytesView bytes(reinterpret_cast<const char*>(mac), size);
      EXPECT_EQ(check(text + "." + base::to_base64url(bytes)), ErrorCode::kTokenInvalid);
    }
  }
}

TEST_F(TokenTest, AnotherKeyUnderAKnownIdIsInvalid) {
  EXPECT_EQ(check(sign_token(claims(), other_key)), ErrorCode::kTokenInvalid);
}

TEST_F(TokenTest, AnUnknownKeyIdIsInvalid) {
  for (const char* kid : {"k2", "", "K1", "../k1", "k1.pem"}) {
    const std::string header = std::string(R"({"alg":"EdDSA","kid":")") + kid + R"("})";
    EXPECT_EQ(check(forge(header, kGoodPayload)), ErrorCode::kTokenInvalid) << kid;
  }
  EXPECT_EQ(check(forge(R"({"alg":"EdDSA"})", kGoodPayload)), ErrorCode::kTokenInvalid);
  EXPECT_EQ(check(forge(R"({"alg":"EdDSA","kid":7})", kGoodPayload)), ErrorCode::kTokenInvalid);
}

TEST_F(TokenTest, TokensOfSeveralKeysAreGoodWhileTheRingHasThem) {
  KeyRing both = keys;
  const SigningKey second = *SigningKey::generate("k2");
  both.add("k2", second.public_key());
  EXPECT_TRUE(verify_token(sign_token(claims(), second), both, TokenRules{}, kNow));
  EXPECT_TRUE(verify_token(sign_token(claims(), key), both, TokenRules{}, kNow));
}

TEST_F(TokenTest, HeaderMembersThatWeDoNotKnowAreInvalid) {
  for (const char* header :
       {R"({"alg":"EdDSA","kid":"k1","crit":["b64"],"b64":false})",
        R"({"alg":"EdDSA","kid":"k1","jwk":{}})", R"({"alg":"EdDSA","kid":"k1","jku":"x"})",
        R"({"alg":"EdDSA","kid":"k1","typ":"at+jwt"})", R"(["EdDSA"])", "", "{", "null"}) {
    EXPECT_EQ(check(forge(header, kGoodPayload)), ErrorCode::kTokenInvalid) << header;
  }
}

TEST_F(TokenTest, EveryTruncationIsInvalid) {
  const std::string token = sign_token(claims(), key);
  for (std::size_t size = 0; size < token.size(); ++size) {
    EXPECT_EQ(check(token.substr(0, size)), ErrorCode::kTokenInvalid) << size;
  }
}

TEST_F(TokenTest, EveryChangedCharacterIsInvalid) {
  const std::string token = sign_token(claims(), key);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(check(changed), ErrorCode::kTokenInvalid) << i;
  }
}

TEST_F(TokenTest, AppendedTextIsInvalid) {
  const std::string token = sign_token(claims(), key);
  for (const char* tail : {"=", "==", "A", ".", ".A", "\n", " "}) {
    EXPECT_EQ(check(token + tail), ErrorCode::kTokenInvalid) << tail;
  }
}

TEST_F(TokenTest, AnotherAudienceOrIssuerIsInvalid) {
  Claims wrong = claims();
  wrong.audience = "elsewhere";
  EXPECT_EQ(check(sign_token(wrong, key)), ErrorCode::kTokenInvalid);
  wrong = claims();
  wrong.issuer = "somebody";
  EXPECT_EQ(check(sign_token(wrong, key)), ErrorCode::kTokenInvalid);
}

TEST_F(TokenTest, AnExpiredTokenForSomebodyElseIsInvalidRatherThanExpired) {
  Claims wrong = claims();
  wrong.audience = "elsewhere";
  EXPECT_EQ(check(sign_token(wrong, key), kExpiresS * 1000), ErrorCode::kTokenInvalid);
}

TEST_F(TokenTest, ClaimsOfAnotherTypeOrFormAreInvalid) {
  const std::pair<const char*, const char*> kSpoil[] = {
      {R"("sub":"bob")", R"("sub":"b.b")"},
      {R"("sub":"bob")", R"("sub":7)"},
      {R"("sub":"bob")", R"("sub":"")"},
      {R"("dev":"phone")", R"("dev":"a b")"},
      {R"("aud":"martlet")", R"("aud":["martlet"])"},
      {R"("exp":1700000000)", R"("exp":"1700000000")"},
      {R"("exp":1700000000)", R"("exp":1700000000.5)"},
      {R"("exp":1700000000)", R"("exp":-1)"},
      {R"("exp":1700000000)", R"("exp":1e400)"},
      {R"("exp":1700000000)", R"("exp":null)"},
      {R"("iat":1)", R"("iat":true)"},
      {R"("jti":"x")", R"("jti":{"a":[]})"},
  };
  for (const auto& [good, bad] : kSpoil) {
    std::string payload = kGoodPayload;
    payload.replace(payload.find(good), std::string_view(good).size(), bad);
    EXPECT_EQ(check(forge(kGoodHeader, payload)), ErrorCode::kTokenInvalid) << payload;
  }
}

TEST_F(TokenTest, EveryClaimIsNeeded) {
  for (const char* claim : {"iss", "aud", "sub", "dev", "iat", "exp", "jti"}) {
    std::string payload = kGoodPayload;
    payload.replace(payload.find(claim), 3, "zzz");
    EXPECT_EQ(check(forge(kGoodHeader, payload)), ErrorCode::kTokenInvalid) << claim;
  }
}

TEST_F(TokenTest, ClaimsOfANewerVersionAreLeftAlone) {
  std::string payload = kGoodPayload;
  payload.insert(1, R"("new":1,)");
  EXPECT_EQ(check(forge(kGoodHeader, payload)), ErrorCode::kNone);
}

TEST_F(TokenTest, DeepPayloadsAreInvalid) {
  const std::string deep = std::string(1'000, '[') + std::string(1'000, ']');
  EXPECT_EQ(check(forge(kGoodHeader, deep)), ErrorCode::kTokenInvalid);
  std::string payload = kGoodPayload;
  payload.insert(1, R"("new":{},)");
  EXPECT_EQ(check(forge(kGoodHeader, payload)), ErrorCode::kTokenInvalid);
}

TEST_F(TokenTest, ATokenOverTheSizeLimitIsInvalid) {
  const auto with_filler = [&](std::size_t size) {
    std::string payload = kGoodPayload;
    payload.insert(1, R"("new":")" + std::string(size, 'x') + R"(",)");
    return forge(kGoodHeader, payload);
  };
  std::size_t size = 2'000;
  while (with_filler(size + 1).size() <= kMaxTokenBytes) ++size;
  EXPECT_EQ(check(with_filler(size)), ErrorCode::kNone);
  EXPECT_EQ(check(with_filler(size + 1)), ErrorCode::kTokenInvalid);
}

TEST_F(TokenTest, IdsAreRandom) {
  SeededRandom random(1);
  EXPECT_NE(make_token_id(random), make_token_id(random));
}

}  // namespace
}  // namespace martlet::auth
