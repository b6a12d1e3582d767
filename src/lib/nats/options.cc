#include "lib/nats/options.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace martlet::nats {

std::vector<std::string> split_urls(const std::string& urls) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= urls.size();) {
    const std::size_t end = std::min(urls.find(',', start), urls.size());
    if (end > start) parts.push_back(urls.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

std::string masked_url(const std::string& urls) {
  std::string masked;
  for (std::string url : split_urls(urls)) {
    const std::size_t at = url.rfind('@');
    const std::size_t scheme = url.find("://");
    if (at != std::string::npos) url.erase(0, at + 1);
    if (at != std::string::npos && scheme != std::string::npos) url.insert(0, "nats://***@");
    masked += (masked.empty() ? "" : ",") + url;
  }
  return masked;
}

tl::unexpected<Error> connect_error(const ConnectionOptions& options, const Error& why) {
  const std::string url = masked_url(options.url);
  if (why.code == ErrorCode::kForbidden)
    return fail(why.code, fmt::format("NATS at {} refuses the user, password or token", url));
  return fail(why.code, fmt::format("NATS at {} is not reachable: {}", url, why.detail));
}

}  // namespace martlet::nats
