#include "api/edge_directory.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "api/limits.h"

namespace martlet::api {
namespace {

bool is_before(const EdgeInfo& a, const EdgeInfo& b) {
  return std::tie(a.name, a.edge) < std::tie(b.name, b.edge);
}

}  // namespace

bool EdgeDirectory::is_live(const Entry& entry, MonotonicTime now) {
  return now - entry.heard < std::chrono::milliseconds(kEdgeSilenceMs);
}

bool EdgeDirectory::heard(EdgeInfo info, MonotonicTime now) {
  const auto known = edges_.find(info.edge);
  if (known == edges_.end()) {
    // One that starts again has a new id at its old address: the old id is dead.
    std::erase_if(edges_, [&](const auto& item) {
      const EdgeInfo& other = item.second.info;
      return !info.address.empty() && other.address == info.address &&
             other.started_ms <= info.started_ms;
    });
    if (edges_.size() >= kMaxEdges) return false;
  }
  Entry& entry = edges_[info.edge];
  entry = {std::move(info), now, 0, entry.sent};
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
  std::sort(all.begin(), all.end(), is_before);
  return all;
}

std::vector<Candidate> EdgeDirectory::candidates(MonotonicTime now) const {
  std::vector<Candidate> all;
  for (const auto& [edge, entry] : edges_) {
    if (!is_live(entry, now) || entry.info.draining) continue;
    all.push_back({&entry.info, entry.info.connections + entry.sent + entry.sent_before});
  }
  std::sort(all.begin(), all.end(),
            [](const Candidate& a, const Candidate& b) { return is_before(*a.edge, *b.edge); });
  return all;
}

bool EdgeDirectory::is_live(const EdgeId& edge, MonotonicTime now) const {
  const auto found = edges_.find(edge);
  return found != edges_.end() && is_live(found->second, now);
}

void EdgeDirectory::sent_to(const EdgeId& edge) {
  const auto found = edges_.find(edge);
  if (found != edges_.end()) ++found->second.sent;
}

}  // namespace martlet::api
