#pragma once

#include <string>

#include "base/clock.h"

namespace martlet::nats {

// How to reach the broker. Both kinds of connection (Publisher, Subscriber) take the same.
struct ConnectionOptions {
  std::string url;   // nats://[user:password@|token@]host:port, several separated by commas
  std::string name;  // shown by the broker's monitoring
  Duration connect_timeout = std::chrono::seconds(2);
  Duration reconnect_wait = std::chrono::milliseconds(250);
  Duration ping_interval = std::chrono::seconds(10);
  // A write that makes no progress for so long breaks the connection (Subscriber only; the
  // Publisher's socket never blocks).
  Duration write_deadline = std::chrono::seconds(2);
};

// The url without user, password and token, for logs and errors.
std::string masked_url(const std::string& url);

}  // namespace martlet::nats
