#include "lib/nats/native/servers.h"

#include <algorithm>

#include "base/random.h"
#include "lib/nats/options.h"

namespace martlet::nats {
namespace {

constexpr std::string_view kScheme = "nats://";
constexpr std::string_view kTlsScheme = "tls://";
constexpr const char* kDefaultPort = ":4222";

Result<Servers::Server> parse_one(std::string_view url) {
  const auto unusable = [](const std::string& why) {
    return fail(ErrorCode::kInternal, "NATS url is not usable: " + why);
  };
  Servers::Server server;
  if (url.starts_with(kScheme)) {
    url.remove_prefix(kScheme.size());
  } else if (url.starts_with(kTlsScheme)) {
    url.remove_prefix(kTlsScheme.size());
    server.needs_tls = true;
  } else if (url.find("://") != std::string_view::npos) {
    return unusable("only nats:// and tls:// are spoken");
  }
  const std::size_t at = url.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view who = url.substr(0, at);
    const std::size_t colon = who.find(':');
    if (colon == std::string_view::npos) {
      server.credentials.token = who;
    } else {
      server.credentials.user = who.substr(0, colon);
      server.credentials.password = who.substr(colon + 1);
    }
    url.remove_prefix(at + 1);
  }
  while (url.ends_with('/')) url.remove_suffix(1);
  auto address = net::parse_address(url);
  if (!address) address = net::parse_address(std::string(url) + kDefaultPort);
  if (!address) return unusable("no host and port");
  server.address = std::move(*address);
  return server;
}

}  // namespace

Result<std::shared_ptr<Servers>> Servers::parse(const std::string& urls) {
  auto servers = std::make_shared<Servers>();
  for (const std::string& url : split_urls(urls)) {
    auto server = parse_one(url);
    if (!server) return tl::unexpected(server.error());
    servers->configured_.push_back(std::move(*server));
  }
  if (servers->configured_.empty()) return fail(ErrorCode::kInternal, "NATS url is empty");
  return servers;
}

std::vector<Servers::Server> Servers::in_turn() const {
  std::vector<Server> all = configured_;
  {
    const std::lock_guard lock(mutex_);
    all.insert(all.end(), learnt_.begin(), learnt_.end());
  }
  SystemRandom random;
  for (std::size_t left = all.size(); left > 1; --left)
    std::swap(all[left - 1], all[random.below(left)]);
  return all;
}

void Servers::learn(const std::vector<std::string>& connect_urls) {
  std::vector<Server> learnt;
  for (const std::string& url : connect_urls) {
    const auto address = net::parse_address(url);
    const bool is_known =
        !address || std::any_of(configured_.begin(), configured_.end(),
                                [&](const Server& server) { return server.address == *address; });
    const Server& like = configured_.front();
    if (!is_known) learnt.push_back({*address, like.credentials, like.needs_tls});
  }
  const std::lock_guard lock(mutex_);
  learnt_ = std::move(learnt);
}

}  // namespace martlet::nats
