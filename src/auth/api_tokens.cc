#include "auth/api_tokens.h"

#include <array>
#include <filesystem>
#include <sstream>
#include <utility>

#include "auth/files.h"
#include "auth/secret.h"
#include "model/ids.h"

namespace martlet::auth {
namespace {

constexpr std::string_view kPrefix = "ma1_";
constexpr std::string_view kWhat = "tokens of the api";
constexpr std::array kRoles{std::pair{Role::kViewer, std::string_view("viewer")},
                            std::pair{Role::kOperator, std::string_view("operator")},
                            std::pair{Role::kAdmin, std::string_view("admin")}};

Result<std::string> read(const std::string& path) {
  return read_small_file(std::string(kWhat), path, kMaxApiTokenFileBytes);
}

}  // namespace

std::optional<Role> role_named(std::string_view name) {
  for (const auto& [role, text] : kRoles) {
    if (text == name) return role;
  }
  return std::nullopt;
}

std::string_view role_name(Role role) {
  for (const auto& [known, text] : kRoles) {
    if (known == role) return text;
  }
  return "unknown";
}

Result<ApiTokens::Tokens> ApiTokens::parse(const std::string& text) {
  Tokens tokens;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    std::string name;
    std::string role;
    std::string hash;
    std::string rest;
    words >> name >> role >> hash >> rest;
    if (name.empty() || name.front() == '#') continue;
    const auto bytes = base::from_hex(hash);
    const auto known = role_named(role);
    if (!is_valid_id(name) || !known || !bytes || bytes->size() != 32 || !rest.empty()) {
      return fail(ErrorCode::kBadContent,
                  "line " + std::to_string(number) + " is not NAME viewer|operator|admin SHA256");
    }
    tokens[*bytes] = {name, *known};
    if (tokens.size() > kMaxApiTokens) return fail(ErrorCode::kBadContent, "too many tokens");
  }
  return tokens;
}

Result<ApiTokens> ApiTokens::open(std::string path) {
  ApiTokens opened;
  opened.path_ = std::move(path);
  if (const auto done = opened.look(); !done) return tl::unexpected(done.error());
  return opened;
}

// The look is taken first: what changes in between is seen by the next one.
Result<bool> ApiTokens::look() {
  if (path_.empty()) return false;
  std::string now = look_of_file(path_);
  if (!now.empty() && now == seen_) return false;
  const auto text = read(path_);
  if (!text) return tl::unexpected(text.error());
  auto tokens = parse(*text);
  if (!tokens) return fail(ErrorCode::kBadContent, path_ + ": " + tokens.error().detail);
  tokens_ = std::move(*tokens);
  seen_ = std::move(now);
  return true;
}

const ApiToken* ApiTokens::find(std::string_view token) const {
  const auto hash = hash_secret(kPrefix, token);
  if (!hash) return nullptr;
  const auto found = tokens_.find(*hash);
  return found == tokens_.end() ? nullptr : &found->second;
}

Result<std::string> add_api_token(const std::string& path, const ApiToken& token, Random& random) {
  if (!is_valid_id(token.name)) return fail(ErrorCode::kBadId, "the name is no id");
  std::string text;
  if (std::error_code error; std::filesystem::exists(path, error)) {
    const auto before = read(path);
    if (!before) return tl::unexpected(before.error());
    text = *before;
    if (!text.empty() && text.back() != '\n') text += '\n';
  }
  std::string secret = make_secret(kPrefix, random);
  text += token.name + ' ' + std::string(role_name(token.role)) + ' ' +
          base::to_hex(*hash_secret(kPrefix, secret)) + '\n';
  const auto written = write_small_file(std::string(kWhat), path, text, 0600);
  if (!written) return tl::unexpected(written.error());
  return secret;
}

}  // namespace martlet::auth
