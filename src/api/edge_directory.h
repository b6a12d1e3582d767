#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"

namespace martlet::api {

// An edge as its last heartbeat told.
struct EdgeInfo {
  EdgeId edge;
  std::string name;
  std::string address;  // where clients connect
  std::string http;
  WallMs started_ms = 0;
  std::uint32_t connections = 0;
  std::uint32_t sessions = 0;
  bool draining = false;
  friend bool operator==(const EdgeInfo&, const EdgeInfo&) = default;
};

// Which edges live, from their heartbeats. A pure core: no clock, no I/O. An edge lives for
// kEdgeSilenceMs after its last heartbeat, or until another one took its address.
class EdgeDirectory {
 public:
  // False: there are kMaxEdges already and this one is new.
  bool heard(EdgeInfo info, MonotonicTime now);
  void expire(MonotonicTime now);

  // In the order of their names.
  std::vector<EdgeInfo> live(MonotonicTime now) const;
  std::size_t size() const { return edges_.size(); }

 private:
  struct Entry {
    EdgeInfo info;
    MonotonicTime heard;
  };
  static bool is_live(const Entry& entry, MonotonicTime now);

  std::map<EdgeId, Entry> edges_;
};

}  // namespace martlet::api
