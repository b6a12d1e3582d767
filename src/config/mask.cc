#include "config/mask.h"

#include <vector>

namespace martlet::config {
namespace {

constexpr std::string_view kMask = "***";

// A password may hold a comma: a new URL begins only where a scheme follows.
std::vector<std::string_view> split_urls(std::string_view text) {
  std::vector<std::string_view> urls;
  std::size_t start = 0;
  for (std::size_t comma = text.find(','); comma != std::string_view::npos;
       comma = text.find(',', comma + 1)) {
    const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz+ ", comma + 1);
    if (end == std::string_view::npos || text.substr(end, 3) != "://") continue;
    urls.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  urls.push_back(text.substr(start));
  return urls;
}

std::string mask_query(std::string url) {
  for (std::size_t at = url.find("password="); at != std::string::npos;
       at = url.find("password=", at + 1)) {
    const std::size_t value = at + std::string_view("password=").size();
    const std::size_t end = std::min(url.find('&', value), url.size());
    url.replace(value, end - value, kMask);
  }
  return url;
}

std::string mask_one(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const bool has_query = url.find("password") != std::string_view::npos;
  if (scheme == std::string_view::npos && has_query) return std::string(kMask);
  const std::size_t start = scheme == std::string_view::npos ? 0 : scheme + 3;
  // The last @, since a careless password may hold one.
  const std::size_t at = url.rfind('@');
  if (at == std::string_view::npos || at < start) return mask_query(std::string(url));
  const std::string_view login = url.substr(start, at - start);
  const std::size_t colon = login.find(':');
  std::string out(url.substr(0, start));
  if (colon != std::string_view::npos) out += std::string(login.substr(0, colon)) + ":";
  out += kMask;
  return mask_query(out + std::string(url.substr(at)));
}

}  // namespace

std::string mask_url(std::string_view text) {
  std::string out;
  for (const std::string_view url : split_urls(text)) {
    if (!out.empty()) out += ',';
    out += mask_one(url);
  }
  return out;
}

}  // namespace martlet::config
