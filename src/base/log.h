#pragma once

// Structured logs: one line an event, key=value, no payloads, no secrets.
//   MARTLET_LOG(info, "shard_taken shard={} epoch={}", shard, epoch);
// Levels: debug, info, warn (a promise is at risk, or a peer we depend on misbehaves), error (ours
// to repair). A client's fault is never above info; what a client can provoke is rate-limited.

#include <spdlog/spdlog.h>

#include <string>

#define MARTLET_LOG(level, ...) ::spdlog::level(__VA_ARGS__)

namespace martlet::base {

struct LogOptions {
  std::string service;         // shown on each line
  std::string level = "info";  // debug, info, warn, error
  std::string file;            // empty: standard error
};

// Call once at start, before any other thread. False: unknown level or the file can't be opened.
bool start_logging(const LogOptions& options);

}  // namespace martlet::base
