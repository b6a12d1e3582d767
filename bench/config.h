#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bench/workload.h"
#include "model/ids.h"
#include "net/address.h"

namespace martlet::bench {

// The JSON file that the generator is started with:
//   {"edges": ["HOST:PORT", …], "signing_key": FILE, "users": ["u1", …], "idle": ["v1", …],
//    "groups": {"g1": ["u1", …], …}, "workload": "one-to-one", "stored": false, "in_flight": 512,
//    "rate": 0 (closed loop), "burst": 1 (the part of each second in which the messages of a rate
//    leave), "warm_up_s": 2, "seconds": 10, "drain_s": 20, "text_bytes": 100}
// and, where they are wanted: "visitors": ["w1", …], "password": "…", "messages": 50000, "tls_ca":
// FILE. The accounts and the groups exist already. Where there are groups, who connects asks for a
// SYNC, after which the edge listens to theirs.
struct Config {
  std::vector<net::Address> edges;
  std::string tls_ca;  // what the edges' certificates are checked by; empty: no TLS
  std::string signing_key;
  People people;             // who write, and the visitors, who come at once, read and leave
  std::vector<UserId> idle;  // who are connected in the phase "idle" only
  std::string password;      // of the visitors; empty: they come with a token
  std::string workload;
  bool stored = false;  // wait for STORED rather than ACK
  std::size_t in_flight = 0;
  double rate = 0;  // messages a second, 0: closed loop
  double burst = 1;
  Duration warm_up{};
  Duration seconds{};        // 0: until the command "stop"
  std::size_t messages = 0;  // more than 0: the window ends when so many were sent
  Duration drain{};
  std::size_t text_bytes = 0;
};

Result<Config> read_config(const std::string& file);

}  // namespace martlet::bench
