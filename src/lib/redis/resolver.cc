#include "lib/redis/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <memory>

namespace martlet::redis {
namespace {

bool is_numeric(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

Result<std::string> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) return fail(ErrorCode::kUnavailable, host + ": " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> keep(found, &::freeaddrinfo);
  char text[NI_MAXHOST] = {};
  if (::getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) != 0) {
    return fail(ErrorCode::kUnavailable, host + ": no numeric address");
  }
  return std::string(text);
}

}  // namespace

Resolver::~Resolver() {
  if (thread_.joinable()) thread_.join();
}

void Resolver::resolve(const std::string& host, Found found) {
  if (is_numeric(host)) return found(host);
  if (thread_.joinable()) thread_.join();  // it has answered already
  thread_ = std::thread([this, host, found = std::move(found), alive = std::weak_ptr(alive_)] {
    Result<std::string> result = look_up(host);
    loop_.post([result = std::move(result), found, alive] {
      if (!alive.expired()) found(result);
    });
  });
}

}  // namespace martlet::redis
