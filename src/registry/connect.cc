#include "registry/connect.h"

#include <utility>

#include "base/random.h"
#include "registry/redis_sessions.h"

namespace martlet::registry {
namespace {

class ConnectedSessions final : public Sessions {
 public:
  ConnectedSessions(event::Loop& loop, redis::ClientOptions options,
                    std::unique_ptr<net::TlsClient> tls)
      : client_(loop, random_, std::move(options), std::move(tls)), sessions_(loop, client_) {}

  void add(const SessionRecord& record) override { sessions_.add(record); }
  void remove(const SessionRecord& record) override { sessions_.remove(record); }
  void read(const UserId& user, Records callback) override {
    sessions_.read(user, std::move(callback));
  }
  std::uint64_t dropped() const override { return sessions_.dropped(); }

 private:
  SystemRandom random_;
  redis::Client client_;
  RedisSessions sessions_;
};

}  // namespace

void declare(config::Keys& keys, RedisOptions& options) {
  keys.url("redis.url", &options.url,
           "the directory of sessions: redis://[[USER]:PASSWORD@]HOST:PORT/DB; rediss:// for TLS");
  keys.path("redis.tls_ca", &options.tls_ca, config::PathRule::kAny,
            "whom to trust for Redis with TLS, PEM; empty: whom the system trusts");
}

Result<std::unique_ptr<Sessions>> connect(event::Loop& loop, const RedisOptions& own) {
  auto options = redis::parse_url(own.url);
  if (!options) return fail(options.error().code, "redis.url: " + options.error().detail);
  std::unique_ptr<net::TlsClient> tls;
  if (options->tls) {
    auto opened = net::TlsClient::open({.ca_file = own.tls_ca});
    if (!opened) return fail(opened.error().code, "redis.tls_ca " + opened.error().detail);
    tls = std::move(*opened);
  }
  return std::make_unique<ConnectedSessions>(loop, std::move(*options), std::move(tls));
}

}  // namespace martlet::registry
