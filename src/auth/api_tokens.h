#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"

namespace martlet::auth {

inline constexpr std::size_t kMaxApiTokens = 256;
inline constexpr std::size_t kMaxApiTokenFileBytes = 64 * 1024;

// What a bearer of one may do; each may all that those before it may.
enum class Role : std::uint8_t {
  kViewer = 1,    // look
  kOperator = 2,  // drain edges, end sessions
  kAdmin = 3,     // sign devices out, ban them, read the audit log
};
std::optional<Role> role_named(std::string_view name);
std::string_view role_name(Role role);

struct ApiToken {
  std::string name;  // an id: who it is, for the audit log
  Role role = Role::kViewer;
};

// The tokens of those who may use the api: a file with a line `NAME ROLE HASH` for each (lines with
// # and empty ones aside), HASH being the SHA-256 of the token in hex. One thread.
class ApiTokens {
 public:
  // No file: nobody has one.
  ApiTokens() = default;
  static Result<ApiTokens> open(std::string path);

  // Null: it is none of them. Valid until the next look that reads the file.
  const ApiToken* find(std::string_view token) const;
  // Reads the file again if it changed: true then. On an error the tokens stay as they were, and
  // the next look tries again.
  Result<bool> look();
  std::size_t size() const { return tokens_.size(); }

 private:
  using Tokens = std::map<Bytes, ApiToken>;  // by hash
  static Result<Tokens> parse(const std::string& text);

  std::string path_;
  std::string seen_;
  Tokens tokens_;
};

// Adds a line for a new token to the file, which need not exist; the answer is the token, which
// nobody can read again.
Result<std::string> add_api_token(const std::string& path, const ApiToken& token, Random& random);

}  // namespace martlet::auth
