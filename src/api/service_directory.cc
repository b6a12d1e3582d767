#include "api/service_directory.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "api/limits.h"
#include "base/assert.h"

namespace martlet::api {
namespace {

using std::chrono::milliseconds;

bool is_before(const HeardService& a, const HeardService& b) {
  const auto key = [](const HeardService& one) {
    return std::tie(one.status.kind, one.status.name, one.status.instance);
  };
  return key(a) < key(b);
}

}  // namespace

bool ServiceDirectory::heard(const wire::ServiceStatus& status, BytesView payload,
                             const Moment& at) {
  if (const auto known = services_.find(status.instance); known != services_.end()) forget(known);
  if (status.stopped) return true;
  const bool has_room =
      services_.size() < kMaxServices && bytes_ + payload.size() <= kMaxStatusMemoryBytes;
  if (!has_room) return false;
  bytes_ += payload.size();
  services_[status.instance] = {Bytes(payload), at};
  return true;
}

void ServiceDirectory::expire(MonotonicTime now) {
  for (auto entry = services_.begin(); entry != services_.end();) {
    const auto next = std::next(entry);
    if (now - entry->second.heard.now >= milliseconds(kStatusKeptMs)) forget(entry);
    entry = next;
  }
}

void ServiceDirectory::forget(std::map<std::string, Entry>::iterator entry) {
  bytes_ -= entry->second.payload.size();
  services_.erase(entry);
}

std::vector<HeardService> ServiceDirectory::all(MonotonicTime now) const {
  std::vector<HeardService> all;
  for (const auto& [instance, entry] : services_) {
    auto status = wire::parse_service_status(entry.payload);
    MARTLET_ASSERT(status.has_value());  // it was read before it was kept
    const Duration silence = now - entry.heard.now;
    all.push_back({std::move(*status), entry.heard.wall_ms, silence,
                   silence >= milliseconds(kStatusSilenceMs)});
  }
  std::sort(all.begin(), all.end(), is_before);
  return all;
}

}  // namespace martlet::api
