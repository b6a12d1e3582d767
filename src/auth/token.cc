#include "auth/token.h"

#include <optional>

#include "auth/jwt_parts.h"
#include "auth/strict_json.h"
#include "base/assert.h"
#include "base/bytes.h"

namespace martlet::auth {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kAlgorithm = "EdDSA";

tl::unexpected<Error> invalid(std::string why) {
  return fail(ErrorCode::kTokenInvalid, std::move(why));
}

std::optional<std::string> text_claim(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return std::nullopt;
  auto text = found->get<std::string>();
  if (text.empty() || text.size() > kMaxClaimBytes) return std::nullopt;
  return text;
}

std::optional<std::uint64_t> seconds_claim(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

// The header only names the key; what the key is good for is not the token's to say. A member that
// we do not know might change the meaning ("crit", "b64", "jwk"), so there may be none.
const PublicKey* key_of(std::string_view encoded, const KeyRing& keys) {
  const auto text = base::from_base64url(encoded);
  if (!text) return nullptr;
  const Json header = parse_strict_object(*text, 1);
  if (!header.is_object()) return nullptr;
  for (const auto& member : header.items()) {
    if (member.key() != "alg" && member.key() != "kid" && member.key() != "typ") return nullptr;
  }
  if (text_claim(header, "alg") != kAlgorithm) return nullptr;
  if (header.contains("typ") && header["typ"] != "JWT") return nullptr;
  const auto kid = text_claim(header, "kid");
  return kid ? keys.find(*kid) : nullptr;
}

std::optional<Claims> claims_of(std::string_view encoded) {
  const auto text = base::from_base64url(encoded);
  if (!text) return std::nullopt;
  const Json json = parse_strict_object(*text, 1);
  if (!json.is_object()) return std::nullopt;
  const auto issuer = text_claim(json, "iss");
  const auto audience = text_claim(json, "aud");
  const auto user = UserId::parse(text_claim(json, "sub").value_or(""));
  const auto device = DeviceId::parse(text_claim(json, "dev").value_or(""));
  const auto id = text_claim(json, "jti");
  const auto issued = seconds_claim(json, "iat");
  const auto expires = seconds_claim(json, "exp");
  if (!issuer || !audience || !user || !device || !id || !issued || !expires) return std::nullopt;
  return Claims{*issuer, *audience, *user, *device, *issued, *expires, *id};
}

bool is_claim(const std::string& text) {
  return !text.empty() && text.size() <= kMaxClaimBytes && base::is_utf8(text);
}

}  // namespace

std::string make_token_id(Random& random) {
  return base::to_base64url(random.bytes(16));
}

std::string sign_token(const Claims& claims, const SigningKey& key) {
  MARTLET_ASSERT(is_claim(claims.issuer) && is_claim(claims.audience) && is_claim(claims.id));
  MARTLET_ASSERT(!claims.user.empty() && !claims.device.empty());
  const Json header{{"alg", kAlgorithm}, {"kid", key.kid()}, {"typ", "JWT"}};
  const Json payload{{"iss", claims.issuer},     {"aud", claims.audience},
                     {"sub", claims.user.str()}, {"dev", claims.device.str()},
                     {"iat", claims.issued_s},   {"exp", claims.expires_s},
                     {"jti", claims.id}};
  std::string token = base::to_base64url(header.dump()) + "." + base::to_base64url(payload.dump());
  token += "." + base::to_base64url(key.sign(token));
  MARTLET_ASSERT(token.size() <= kMaxTokenBytes);
  return token;
}

Result<Claims> verify_token(std::string_view token, const KeyRing& keys, const TokenRules& rules,
                            WallMs now_ms) {
  if (token.size() > kMaxTokenBytes) return invalid("too long");
  const auto parts = split_jwt(token);
  if (!parts) return invalid("not three parts");
  const PublicKey* key = key_of(parts->header, keys);
  if (key == nullptr) return invalid("the header does not name EdDSA and a known key");
  const auto signature = base::from_base64url(parts->signature);
  if (!signature || !key->verify(parts->signed_text, *signature)) return invalid("bad signature");
  auto claims = claims_of(parts->payload);
  if (!claims) return invalid("a claim is missing or malformed");
  if (claims->issuer != rules.issuer) return invalid("another issuer");
  if (claims->audience != rules.audience) return invalid("another audience");
  if (now_ms / 1000 >= claims->expires_s) return fail(ErrorCode::kTokenExpired);
  return std::move(*claims);
}

}  // namespace martlet::auth
