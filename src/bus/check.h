#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/finding.h"
#include "bus/log.h"
#include "bus/nats_bus.h"

namespace martlet::bus {

// The least that keeps what it acknowledged on three servers (docs/guarantees.md).
inline constexpr std::string_view kLeastReplicatedVersion = "2.10.29";

// What a role needs of the broker.
struct BrokerNeeds {
  BusOptions bus;
  std::uint16_t shards = 16;
  int replicas = 1;
  // Subjects that it listens to, without a queue group: a probe must not take others' requests.
  std::vector<std::string> hears;
  // Whether the role may see the settings of streams; and what those of the logs should be, if it
  // knows.
  bool sees_streams = false;
  std::optional<LogOptions> logs;
};

// Connects as the role, tries what it must be allowed to do, and looks at version, limits and
// streams. Changes nothing. Blocks for some seconds at most; before anything else of the process
// runs.
Findings check_broker(const BrokerNeeds& needs);

// "2.10.29" is newer than "2.9.10". What is no such version is the oldest of all.
bool is_older(std::string_view version, std::string_view than);

}  // namespace martlet::bus
