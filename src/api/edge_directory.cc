#include "api/edge_directory.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "api/limits.h"

namespace martlet::api {

bool EdgeDirectory::is_live(const Entry& entry, MonotonicTime now) {
  return now - entry.heard < std::chrono::milliseconds(kEdgeSilenceMs);
}

bool EdgeDirectory::heard(EdgeInfo info, MonotonicTime now) {
  const auto known = edges_.find(info.edge);
  if (known == edges_.end()) {
    // One that starts again has a new id at its old address: the old id is dead.
    std::erase_if(edges_, [&](const auto& item) {
      const EdgeInfo& other = item.second.info;
      return other.address == info.address && other.started_ms <= info.started_ms;
    });
    if (edges_.size() >= kMaxEdges) return false;
  }
  const EdgeId edge = info.edge;
  edges_.insert_or_assign(edge, Entry{std::move(info), now});
  return true;
}

void EdgeDirectory::expire(MonotonicTime now) {
  std::erase_if(edges_, [now](const auto& item) { return !is_live(item.second, now); });
}

std::vector<EdgeInfo> EdgeDirectory::live(MonotonicTime now) const {
  std::vector<EdgeInfo> all;
  for (const auto& [edge, entry] : edges_) {
    if (is_live(entry, now)) all.push_back(entry.info);
  }
  std::sort(all.begin(), all.end(), [](const EdgeInfo& a, const EdgeInfo& b) {
    return std::tie(a.name, a.edge) < std::tie(b.name, b.edge);
  });
  return all;
}

}  // namespace martlet::api
