#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/tls.h"

namespace martlet::nats {

// What speaks to the broker: our own client, which lives inside the loop, or the client library
// with its threads (docs/adr/0046).
enum class Client { kNative, kLibrary };

class Servers;

// How to reach the broker. Both kinds of connection (Publisher, Subscriber) take the same.
struct ConnectionOptions {
  // nats://[user:password@|token@]host:port, several separated by commas; tls:// for those that are
  // to speak nothing but TLS.
  std::string url;
  std::string name;  // shown by the broker's monitoring
  Client client = Client::kNative;
  Duration connect_timeout = std::chrono::seconds(2);
  Duration reconnect_wait = std::chrono::milliseconds(250);
  // A server that leaves a ping unanswered for so long is gone.
  Duration ping_interval = std::chrono::seconds(10);
  // A write that makes no progress for so long breaks the connection (the library's Subscriber
  // only; the others never block).
  Duration write_deadline = std::chrono::seconds(2);
  std::string tls_ca;  // PEM, whom to trust; empty: whom the system trusts
  // Made of tls_ca by trust(); none: TLS is not spoken (native only).
  std::shared_ptr<net::TlsClient> tls;
  // Those that connections learn of, for the next ones (native only). May be null.
  std::shared_ptr<Servers> servers;
};

// What our own client needs for TLS. Error: tls_ca can't be read.
Result<std::shared_ptr<net::TlsClient>> trust(const ConnectionOptions& options);

// The url without user, password and token, for logs and errors.
std::string masked_url(const std::string& url);
// The single ones of a url that has several.
std::vector<std::string> split_urls(const std::string& urls);

// Why there is no connection, as one line that says which broker: kForbidden is a wrong user,
// password or token.
tl::unexpected<Error> connect_error(const ConnectionOptions& options, const Error& why);

}  // namespace martlet::nats
