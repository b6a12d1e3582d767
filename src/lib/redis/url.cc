#include <charconv>

#include "lib/redis/client.h"

namespace martlet::redis {
namespace {

template <class T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

tl::unexpected<Error> malformed() {
  return fail(ErrorCode::kBadContent,
              "expected redis[s]://[[user]:password@]host[:port][/database]");
}

}  // namespace

Result<ClientOptions> parse_url(std::string_view url) {
  ClientOptions options;
  const auto scheme = url.find("://");
  if (scheme == url.npos) return malformed();
  options.tls = url.substr(0, scheme) == "rediss";
  if (!options.tls && url.substr(0, scheme) != "redis") return malformed();
  url.remove_prefix(scheme + 3);
  if (const auto at = url.rfind('@'); at != url.npos) {
    const std::string_view user_info = url.substr(0, at);
    const auto colon = user_info.find(':');
    if (colon == user_info.npos) return malformed();
    options.user = user_info.substr(0, colon);
    options.password = user_info.substr(colon + 1);
    url.remove_prefix(at + 1);
  }
  if (const auto slash = url.find('/'); slash != url.npos) {
    const std::string_view database = url.substr(slash + 1);
    if (!database.empty() && !parse_number(database, options.database)) return malformed();
    url = url.substr(0, slash);
  }
  const auto colon = url.rfind(':');
  if (colon != url.npos && url.find(']', colon) == url.npos) {
    if (!parse_number(url.substr(colon + 1), options.port)) return malformed();
    url = url.substr(0, colon);
  }
  if (url.starts_with('[') && url.ends_with(']')) url = url.substr(1, url.size() - 2);
  if (url.empty() || options.port == 0 || options.database < 0) return malformed();
  options.host = url;
  return options;
}

}  // namespace martlet::redis
