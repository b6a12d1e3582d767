// An access token: as it came; or header and payload, with a line feed between them, signed here;
// or a payload under our own header. Only so does a fuzzer get behind the signature.
#include "auth/keys.h"
#include "auth/token.h"
#include "base/assert.h"
#include "input.h"
#include "targets.h"

namespace martlet::fuzz {
namespace {

constexpr WallMs kNowMs = 1'700'000'000'000;
constexpr BytesView kHeader = R"({"alg":"EdDSA","kid":"key","typ":"JWT"})";

std::string sign(BytesView header, BytesView payload, const auth::SigningKey& key) {
  const std::string text = base::to_base64url(header) + "." + base::to_base64url(payload);
  return text + "." + base::to_base64url(key.sign(text));
}

void check(const std::string& token, const auth::SigningKey& key, const auth::KeyRing& ring) {
  const auth::TokenRules rules;
  const auto claims = auth::verify_token(token, ring, rules, kNowMs);
  if (!claims) {
    const ErrorCode code = claims.error().code;
    MARTLET_ASSERT(code == ErrorCode::kTokenInvalid || code == ErrorCode::kTokenExpired);
    return;
  }
  MARTLET_ASSERT(token.size() <= auth::kMaxTokenBytes);
  MARTLET_ASSERT(claims->issuer == rules.issuer && claims->audience == rules.audience);
  MARTLET_ASSERT(!claims->user.empty() && !claims->device.empty() && !claims->id.empty());
  MARTLET_ASSERT(claims->expires_s > kNowMs / 1000);
  const auto again = auth::verify_token(auth::sign_token(*claims, key), ring, rules, kNowMs);
  MARTLET_ASSERT(again.has_value());
  MARTLET_ASSERT(again->user == claims->user && again->device == claims->device);
  MARTLET_ASSERT(again->id == claims->id && again->issued_s == claims->issued_s);
  MARTLET_ASSERT(again->expires_s == claims->expires_s);
}

}  // namespace

void jwt(BytesView bytes) {
  static const auth::SigningKey key = auth::SigningKey::generate("key").value();
  static const auth::KeyRing ring = [] {
    auth::KeyRing one;
    one.add("key", key.public_key());
    return one;
  }();
  Input input(bytes);
  const unsigned form = input.byte() % 3;
  if (form == 0) return check(std::string(input.rest()), key, ring);
  const BytesView header = form == 1 ? input.take_until('\n') : kHeader;
  check(sign(header, input.rest(), key), key, ring);
}

}  // namespace martlet::fuzz
