#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "config/keys.h"

namespace martlet::service {

// What every service can be told.
struct CommonOptions {
  std::string name;
  std::string nats_url = "nats://127.0.0.1:4222";
  Duration nats_wait = std::chrono::seconds(30);
  std::string nats_client = "native";
  std::string nats_tls_ca;
  std::uint16_t shards = 16;
  config::Address http_listen{"127.0.0.1", 0};
  std::string ready_file;
  std::string log_level = "info";
  std::string log_file;
  Duration stop_timeout = std::chrono::seconds(10);
};

void declare(config::Keys& keys, CommonOptions& options);

}  // namespace martlet::service
