#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "wire/status.h"

namespace martlet::api {

// A process by what it said last.
struct HeardService {
  wire::ServiceStatus status;
  WallMs heard_ms = 0;   // our clock
  Duration silence{};    // since then
  bool is_gone = false;  // silent for kStatusSilenceMs
};

// Which processes there are, from what they say of themselves. A pure core: no clock, no I/O; keeps
// the last message of each, as it came, and computes nothing. Who says that it ends is forgotten at
// once, who falls silent after kStatusKeptMs.
class ServiceDirectory {
 public:
  struct Moment {
    MonotonicTime now;
    WallMs wall_ms;
  };
  // status: as read from the payload. False: there is no room for it.
  bool heard(const wire::ServiceStatus& status, BytesView payload, const Moment& at);
  void expire(MonotonicTime now);

  // In the order of kind, name and instance.
  std::vector<HeardService> all(MonotonicTime now) const;
  std::size_t size() const { return services_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Bytes payload;
    Moment heard;
  };
  void forget(std::map<std::string, Entry>::iterator entry);

  std::map<std::string, Entry> services_;  // by instance
  std::size_t bytes_ = 0;
};

}  // namespace martlet::api
