#include "service/options.h"

namespace martlet::service {

using std::chrono::milliseconds;
using std::chrono::seconds;

void declare(config::Keys& keys, CommonOptions& options) {
  keys.string("name", &options.name, {0, 64},
              "label of this process in logs and files; empty: the service's name");
  keys.url("nats.url", &options.nats_url, "the broker; may carry user:password@; tls:// for TLS");
  keys.duration("nats.wait_s", &options.nats_wait, {seconds(0), seconds(3600)},
                "how long the start waits for the servers that the service needs");
  keys.choice("nats.client", &options.nats_client, {"native", "cnats"},
              "what speaks to the broker: our own client or the library cnats");
  keys.path("nats.tls_ca", &options.nats_tls_ca, config::PathRule::kAny,
            "whom to trust for a broker with TLS, PEM; empty: whom the system trusts");
  keys.integer("cluster.shards", &options.shards, {1, 1024, "shards"},
               "slices of the conversations; fixed for the life of a cluster");
  keys.address("http.listen", &options.http_listen,
               "address of /healthz, /readyz and /metrics; port 0: the system chooses");
  keys.path("ready_file", &options.ready_file, config::PathRule::kAny,
            "written with the real addresses when the service serves; empty: none");
  keys.choice("log.level", &options.log_level, {"debug", "info", "warn", "error"},
              "the least level that is logged");
  keys.path("log.file", &options.log_file, config::PathRule::kAny,
            "where to log; empty: standard error");
  keys.duration("stop_timeout_ms", &options.stop_timeout, {milliseconds(100), seconds(600)},
                "a stop that takes longer ends the process with exit code 1");
}

}  // namespace martlet::service
