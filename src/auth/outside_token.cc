#include "auth/outside_token.h"

#include <cmath>
#include <optional>
#include <utility>

#include "auth/jwt_parts.h"
#include "auth/strict_json.h"

namespace martlet::auth {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kOnlyApp = "main";
constexpr double kLatestSecond = 253'402'300'799;  // of the year 9999

tl::unexpected<Error> invalid(std::string why) {
  return fail(ErrorCode::kTokenInvalid, std::move(why));
}

std::optional<Algorithm> algorithm_of(const std::string& name) {
  for (const Algorithm one : {Algorithm::kHs256, Algorithm::kEs256, Algorithm::kEdDsa})
    if (algorithm_name(one) == name) return one;
  return std::nullopt;
}

// What the header says of keys (jku, jwk, x5u …) is not listened to. What would change the meaning
// of a token is listed in `crit` (RFC 7515, 4.1.11); we know of nothing that may be.
const OutsideKey* key_for(std::string_view encoded, const OutsideKeys& keys) {
  const auto text = base::from_base64url(encoded);
  if (!text) return nullptr;
  const Json header = parse_strict_object(*text, kMaxClaimDepth);
  if (!header.is_object() || header.contains("crit") || header.contains("b64")) return nullptr;
  const auto algorithm = algorithm_of(text_of(header, "alg"));
  if (!algorithm || (header.contains("kid") && !header["kid"].is_string())) return nullptr;
  return keys.find(*algorithm, text_of(header, "kid"));
}

bool is_audience(const Json& claims, const std::string& wanted) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (found->is_string()) return found->get<std::string>() == wanted;
  if (!found->is_array()) return false;
  for (const Json& one : *found)
    if (one.is_string() && one.get<std::string>() == wanted) return true;
  return false;
}

// Seconds since 1970, maybe with a fraction; an error if it is there and none.
Result<std::optional<double>> second_of(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end()) return std::nullopt;
  const double second = found->is_number() ? found->get<double>() : std::nan("");
  if (!(second >= 0 && second <= kLatestSecond)) return invalid(std::string(name) + " is no time");
  return second;
}

Result<void> check_times(const Json& claims, WallMs now_ms) {
  const double now = static_cast<double>(now_ms) / 1000;
  const double leeway = std::chrono::duration<double>(kClockLeeway).count();
  const auto expires = second_of(claims, "exp");
  if (!expires) return tl::unexpected(expires.error());
  if (!*expires) return invalid("it has no exp");
  for (const char* name : {"nbf", "iat"}) {
    const auto since = second_of(claims, name);
    if (!since) return tl::unexpected(since.error());
    if (*since && **since > now + leeway) return invalid(std::string(name) + " is yet to come");
  }
  if (**expires <= now - leeway) return fail(ErrorCode::kTokenExpired);
  return {};
}

template <class Id>
Result<Id> id_of(const Json& claims, const std::string& name) {
  auto id = Id::parse(text_of(claims, name));
  if (!id) return fail(ErrorCode::kBadId, "the claim '" + name + "' of the token is no id");
  return std::move(*id);
}

Result<OutsideClaims> mapped(const Json& claims, const OutsideRules& rules) {
  if (!rules.app_claim.empty() && text_of(claims, rules.app_claim) != kOnlyApp) {
    return invalid("it is for another app");
  }
  OutsideClaims out;
  auto user = id_of<UserId>(claims, rules.user_claim);
  if (!user) return tl::unexpected(user.error());
  out.user = std::move(*user);
  if (rules.device_claim.empty()) return out;
  auto device = id_of<DeviceId>(claims, rules.device_claim);
  if (!device) return tl::unexpected(device.error());
  out.device = std::move(*device);
  return out;
}

}  // namespace

Result<OutsideClaims> verify_outside_token(std::string_view token, const OutsideKeys& keys,
                                           const OutsideRules& rules, WallMs now_ms) {
  if (token.size() > kMaxOutsideTokenBytes) return invalid("too long");
  const auto parts = split_jwt(token);
  if (!parts) return invalid("not three parts");
  const OutsideKey* key = key_for(parts->header, keys);
  if (key == nullptr) return invalid("the header does not name an algorithm and key of ours");
  const auto signature = base::from_base64url(parts->signature);
  if (!signature || !key->verify(parts->signed_text, *signature)) return invalid("bad signature");
  const auto text = base::from_base64url(parts->payload);
  const Json claims = text ? parse_strict_object(*text, kMaxClaimDepth) : Json();
  if (!claims.is_object()) return invalid("its claims are no good JSON");
  if (text_of(claims, "iss") != rules.issuer) return invalid("another issuer");
  if (!is_audience(claims, rules.audience)) return invalid("another audience");
  auto out = mapped(claims, rules);
  const auto in_time = check_times(claims, now_ms);
  const bool is_expired = !in_time && in_time.error().code == ErrorCode::kTokenExpired;
  if (!in_time && !is_expired) return tl::unexpected(in_time.error());
  if (!out) return out;
  if (is_expired) return tl::unexpected(in_time.error());
  return out;
}

}  // namespace martlet::auth
