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
    const std::size_t start = scheme == std::string::npos ? 0 : scheme + 3;
    if (at != std::string::npos) url.replace(start, at - start, start > 0 ? "***" : "");
    if (at != std::string::npos && start == 0) url.erase(0, 1);
    masked += (masked.empty() ? "" : ",") + url;
  }
  return masked;
}

Result<std::shared_ptr<net::TlsClient>> trust(const ConnectionOptions& options) {
  // Connections are made on a thread of their own, so nothing is kept between them.
  auto client = net::TlsClient::open({.ca_file = options.tls_ca, .resumes = false});
  if (!client) return fail(client.error().code, "nats.tls_ca " + client.error().detail);
  return std::shared_ptr<net::TlsClient>(std::move(*client));
}

tl::unexpected<Error> connect_error(const ConnectionOptions& options, const Error& why) {
  const std::string url = masked_url(options.url);
  if (why.code == ErrorCode::kForbidden)
    return fail(why.code, fmt::format("NATS at {} refuses the user, password or token", url));
  return fail(why.code, fmt::format("NATS at {} is not reachable: {}", url, why.detail));
}

}  // namespace martlet::nats
