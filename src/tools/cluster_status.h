#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tools/tool.h"

namespace martlet::tools {

using Numbers = std::map<std::string, double, std::less<>>;

// One process as GET /v1/status tells of it.
struct ServiceView {
  std::string kind;
  std::string name;
  std::string instance;
  std::string version;
  std::uint64_t protocol = 0;
  std::uint64_t shards_configured = 0;
  WallMs started_ms = 0;
  WallMs now_ms = 0;    // its clock, when it spoke
  WallMs heard_ms = 0;  // the api's clock, when it was heard
  WallMs silence_ms = 0;
  bool gone = false;
  bool ready = false;
  std::string why;  // it is not ready
  Numbers values;
  std::map<std::uint64_t, Numbers> shards;

  // By a metric's name; 0: it was not told.
  double value(std::string_view metric) const;
};

struct ClusterStatus {
  WallMs now_ms = 0;    // of the api
  std::string trouble;  // why the api may not have heard everybody; empty: nothing
  std::vector<ServiceView> services;
};

// The dispatcher and the persist of a shard; null: nobody has it.
struct ShardView {
  const ServiceView* owner = nullptr;
  const ServiceView* storer = nullptr;
  bool is_served = false;
  std::uint64_t epoch = 0;
  std::uint64_t end = 0;
  std::uint64_t watermark = 0;
  std::uint64_t log_bytes = 0;
  double unstored_s = 0;  // how long something waits for the database
  // What is in the log and not in the database, as far as both have told.
  std::uint64_t lag() const { return end > watermark ? end - watermark : 0; }
};

// kUnavailable: it is not such a page.
Result<ClusterStatus> parse_status(const nlohmann::json& page);
// The page, and what it says.
Result<nlohmann::json> ask_status_page(const ToolOptions& options);
Result<ClusterStatus> ask_status(const ToolOptions& options);

// All shards that somebody is configured for. The status outlives the answer.
std::map<std::uint64_t, ShardView> shards_of(const ClusterStatus& status);

}  // namespace martlet::tools
