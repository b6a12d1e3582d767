#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/keys.h"
#include "edge/door.h"
#include "edge/frame_meter.h"
#include "edge/limits.h"
#include "edge/session.h"
#include "edge/unanswered.h"
#include "net/address_range.h"
#include "net/tls.h"
#include "registry/connect.h"

namespace martlet::edge {

// What an edge can be told.
struct EdgeOptions {
  config::Address listen{"127.0.0.1", 0};
  config::Address advertise;               // empty: the address that it listens on
  net::TlsFiles tls;                       // both certificate and key, or neither: no TLS
  std::vector<net::AddressRange> proxies;  // from there a PROXY header is required and believed
  std::string public_keys;
  registry::RedisOptions redis;

  int nats_replicas = 1;  // of the bucket that all members share

  DoorOptions door;
  FrameRates frames;
  std::size_t output_high_bytes = kOutputHighMarkBytes;
  std::size_t output_low_bytes = kOutputLowMarkBytes;
  std::size_t output_limit_bytes = kOutputHardLimitBytes;

  std::uint32_t weight = 100;
  Duration drain_delay{};
  Duration drain_window = std::chrono::seconds(4);
  Duration rebalance = std::chrono::seconds(10);  // zero: never

  std::uint32_t trace_permille = kTracePermille;
  Duration tail_check = std::chrono::seconds(60);
  Duration linger = std::chrono::seconds(10);
  Duration rpc_timeout = std::chrono::milliseconds(kRpcTimeoutMs);
  SessionLimits session;
  UnansweredLimits unanswered;
  Duration stop_time = std::chrono::seconds(10);  // stop_timeout_ms: a stop ends well before
};

void declare(config::Keys& keys, EdgeOptions& options);

// None: no TLS. The error names key, value and reason.
Result<std::unique_ptr<net::TlsServer>> open_tls(event::Loop& loop, const EdgeOptions& options);

}  // namespace martlet::edge
