#include "registry/check.h"

#include "base/random.h"
#include "lib/redis/client.h"

namespace martlet::registry {
namespace {

constexpr Duration kTimeout = std::chrono::seconds(5);
constexpr Duration kLookPeriod = std::chrono::milliseconds(20);

Findings refused(const std::string& why) {
  return {{"redis", Verdict::kFail, why,
           "See redis.url (host, user, password), whether Redis runs there, and for TLS "
           "redis.tls_ca. Without it presence is unknown; messages go on."}};
}

}  // namespace

Findings check(const RedisOptions& own) {
  auto options = redis::parse_url(own.url);
  if (!options) return refused(options.error().detail);
  std::unique_ptr<net::TlsClient> tls;
  if (options->tls) {
    auto opened = net::TlsClient::open({.ca_file = own.tls_ca});
    if (!opened) return refused("redis.tls_ca " + opened.error().detail);
    tls = std::move(*opened);
  }
  event::Loop loop;
  SystemRandom random;
  const std::string address = options->host + ":" + std::to_string(options->port);
  redis::Client client(loop, random, std::move(*options), std::move(tls));
  client.on_connected([&loop] { loop.stop(); });
  // The first trouble is the answer, without the attempts that follow it.
  event::Timer look(loop, [&] {
    if (!client.trouble().empty()) loop.stop();
  });
  look.start_every(kLookPeriod);
  event::Timer deadline(loop, [&loop] { loop.stop(); });
  deadline.start_once(kTimeout);
  loop.run();
  if (client.is_connected()) return {{"redis", Verdict::kOk, address + " takes us", ""}};
  return refused(address + ": " + (client.trouble().empty() ? "no answer" : client.trouble()));
}

}  // namespace martlet::registry
