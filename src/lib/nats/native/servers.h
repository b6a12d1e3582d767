#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "lib/nats/native/protocol.h"
#include "net/address.h"

namespace martlet::nats {

// The servers that may be tried: those of the configuration, and those that a server told us of.
// Any thread.
class Servers {
 public:
  struct Server {
    net::Address address;
    native::Credentials credentials;
    bool needs_tls = false;
  };

  // urls: as in ConnectionOptions. Error: one of them is none.
  static Result<std::shared_ptr<Servers>> parse(const std::string& urls);

  // All, in an order by chance: clients spread over a cluster.
  std::vector<Server> in_turn() const;
  // Of INFO. They are reached like the first one configured.
  void learn(const std::vector<std::string>& connect_urls);

 private:
  std::vector<Server> configured_;
  mutable std::mutex mutex_;
  std::vector<Server> learnt_;  // guarded by mutex_; those of the last INFO
};

}  // namespace martlet::nats
