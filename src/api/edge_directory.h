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
  std::string address;  // where clients connect; empty: only through what stands before it
  std::string http;
  WallMs started_ms = 0;
  std::uint32_t connections = 0;
  std::uint32_t sessions = 0;
  bool draining = false;
  std::uint32_t weight = 100;
  std::uint32_t cpu_permille = 0;  // of one core
  std::uint32_t loop_lag_us = 0;
  std::uint64_t output_bytes_per_s = 0;
  friend bool operator==(const EdgeInfo&, const EdgeInfo&) = default;
};

// An edge that takes new clients. load: its connections, with those who were sent there and are not
// in its heartbeat yet.
struct Candidate {
  const EdgeInfo* edge;
  std::uint32_t load;
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
  // Those that live and do not drain, in the same order; valid until the next call of heard() or
  // expire().
  std::vector<Candidate> candidates(MonotonicTime now) const;
  // A client was told to go there.
  void sent_to(const EdgeId& edge);
  bool is_live(const EdgeId& edge, MonotonicTime now) const;
  std::size_t size() const { return edges_.size(); }

 private:
  struct Entry {
    EdgeInfo info;
    MonotonicTime heard;
    // Sent there since the last heartbeat, and between the two last ones: a client takes a moment.
    std::uint32_t sent = 0;
    std::uint32_t sent_before = 0;
  };
  static bool is_live(const Entry& entry, MonotonicTime now);

  std::map<EdgeId, Entry> edges_;
};

}  // namespace martlet::api
