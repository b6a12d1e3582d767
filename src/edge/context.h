#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "bus/bus.h"
#include "edge/client_link.h"
#include "edge/credit_queue.h"
#include "edge/door.h"
#include "edge/group_desk.h"
#include "edge/metrics.h"
#include "edge/options.h"
#include "edge/session_table.h"
#include "edge/tracer.h"
#include "edge/unanswered.h"
#include "edge/user_channels.h"
#include "model/ids.h"
#include "registry/sessions.h"

namespace martlet::edge {

// What a good access token says.
struct TokenClaims {
  UserId user;
  DeviceId device;
  WallMs expires_ms = 0;
};
// kTokenInvalid, kTokenExpired.
using VerifyToken = std::function<Result<TokenClaims>(std::string_view token, WallMs now)>;

// Who this edge is.
struct EdgeIdentity {
  EdgeId id;
  std::string name;
  std::string address;  // told to others
  std::string http;
  std::uint16_t shards = 16;
  WallMs started_ms = 0;
};

// What handlers and routers work with. The edge (edge.h) owns all of it.
struct EdgeContext {
  const EdgeIdentity& identity;
  const EdgeOptions& options;
  const Clock& clock;
  Random& random;
  bus::Bus& bus;
  const VerifyToken& verify_token;
  registry::Sessions& registry;
  EdgeMetrics& metrics;
  Tracer& tracer;
  Unanswered& unanswered;
  CreditQueue& credit_queue;
  UserChannels& channels;
  GroupDesk& groups;
  SessionTable& sessions;
  Door& door;
  // By number: for callbacks that may come after the link has gone.
  std::function<ClientLink*(std::uint64_t)> find_link;
  // All sessions are to sync, spread over a time.
  std::function<void()> hint_resync;
  // The process, as on SIGTERM.
  std::function<void(std::string why)> stop;
  std::size_t rpcs_under_way = 0;
  std::size_t device_checks_under_way = 0;  // apart: no client waits for them, nor does a stop
};

}  // namespace martlet::edge
