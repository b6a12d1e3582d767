#include "auth/identity.h"

#include <utility>

#include "auth/files.h"

namespace martlet::auth {
namespace {

tl::unexpected<Error> wrong(const std::string& key, const std::string& path,
                            const std::string& why) {
  return fail(ErrorCode::kBadContent, key + " '" + path + "': " + why);
}

}  // namespace

Result<IdentityProvider> IdentityProvider::open(IdentityOptions options) {
  IdentityProvider provider(std::move(options));
  if (!provider.is_on()) return provider;
  if (provider.options_.rules.audience.empty()) {
    return fail(ErrorCode::kBadContent, "identity.audience is not set, and identity.issuer is");
  }
  // In this order: what changes in between is seen by the next look.
  provider.seen_ = provider.look_of_files();
  auto keys = provider.read();
  if (!keys) return tl::unexpected(keys.error());
  provider.keys_ = std::move(*keys);
  return provider;
}

Result<OutsideKeys> IdentityProvider::read() const {
  OutsideKeys keys;
  if (!options_.secret.empty()) {
    auto text = read_small_file("identity.secret", options_.secret, kMaxSecretBytes);
    if (!text) return tl::unexpected(text.error());
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    auto key = OutsideKey::shared_secret(*text);
    if (!key) return wrong("identity.secret", options_.secret, key.error().detail);
    keys.add({}, std::move(*key));
  }
  if (!options_.jwks.empty()) {
    const auto text = read_small_file("identity.jwks", options_.jwks, kMaxJwksBytes);
    if (!text) return tl::unexpected(text.error());
    if (const auto added = add_jwks(*text, keys); !added) {
      return wrong("identity.jwks", options_.jwks, added.error().detail);
    }
  }
  if (keys.size() == 0) {
    return fail(ErrorCode::kBadContent, "neither identity.jwks nor identity.secret is set");
  }
  return keys;
}

std::string IdentityProvider::look_of_files() const {
  return look_of_file(options_.secret) + '\n' + look_of_file(options_.jwks);
}

Result<OutsideClaims> IdentityProvider::verify(std::string_view token, WallMs now_ms) const {
  if (!is_on()) return fail(ErrorCode::kTokenInvalid, "no tokens of others are taken here");
  return verify_outside_token(token, keys_, options_.rules, now_ms);
}

Result<bool> IdentityProvider::look() {
  if (!is_on()) return false;
  std::string now = look_of_files();
  if (now == seen_) return false;
  auto keys = read();
  if (!keys) return tl::unexpected(keys.error());
  seen_ = std::move(now);
  keys_ = std::move(*keys);
  return true;
}

}  // namespace martlet::auth
