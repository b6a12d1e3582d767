#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

// What each process says of itself (schemas/bus.fbs, ServiceStatus). Same rules as envelopes.h.
namespace martlet::wire {

struct StatusValue {
  std::string name;
  std::optional<std::uint16_t> shard;  // none: of the whole process
  double value = 0;
};

struct ServiceStatus {
  std::string kind;
  std::string name;
  std::string instance;
  std::string version;
  std::uint8_t protocol = 0;
  std::uint16_t shards = 0;
  WallMs started_ms = 0;
  WallMs now_ms = 0;
  bool ready = false;
  std::string why;  // what it lacks to be ready
  bool stopped = false;
  std::vector<StatusValue> values;
};

// More values than kMaxStatusValues are left out.
Bytes encode(const ServiceStatus& status);
Result<ServiceStatus> parse_service_status(BytesView bytes);

}  // namespace martlet::wire
