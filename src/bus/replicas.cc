#include "bus/replicas.h"

namespace martlet::bus {

void declare_replicas(config::Keys& keys, int& replicas) {
  keys.integer(
      "nats.replicas", &replicas, {1, 5, "servers"},
      "how many NATS servers keep a copy of the logs and of the lease bucket; the same for "
      "all services, fixed for the life of a cluster");
}

}  // namespace martlet::bus
