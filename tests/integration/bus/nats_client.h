#pragma once

#include <cstdlib>

#include "bus/nats_bus.h"

namespace martlet::test {

// What speaks to the broker in this run of the tests.
inline nats::Client nats_client() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  const char* name = std::getenv("MARTLET_TEST_NATS_CLIENT");
  return bus::client_named(name == nullptr ? "native" : name);
}

}  // namespace martlet::test
