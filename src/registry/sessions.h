#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/ids.h"

namespace martlet::registry {

// Where a device is connected.
struct SessionRecord {
  UserId user;
  DeviceId device;
  SessionId session;
  EdgeId edge;
  std::string address;  // of the edge, for clients
  WallMs since_ms = 0;
  friend bool operator==(const SessionRecord&, const SessionRecord&) = default;
};

// The directory of sessions, for people and routing: best effort. Nothing that a message needs
// depends on it. Loop thread; nothing blocks.
class Sessions {
 public:
  using Records = std::function<void(Result<std::vector<SessionRecord>>)>;
  virtual ~Sessions() = default;

  // Ours: kept in the directory until removed, whatever happens to the directory.
  virtual void add(const SessionRecord& record) = 0;
  // Leaves a newer session of the device alone.
  virtual void remove(const SessionRecord& record) = 0;
  // Everybody's. Once; kUnavailable if the directory does not answer.
  virtual void read(const UserId& user, Records callback) = 0;

  // Writes that were left out because the directory did not keep up; they follow with the next
  // refresh.
  virtual std::uint64_t dropped() const = 0;
};

}  // namespace martlet::registry
