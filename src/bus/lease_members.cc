#include "bus/lease_members.h"

#include <algorithm>

#include "bus/leases.h"

namespace martlet::bus {
namespace {

// Beyond it the dead are forgotten; who is still named in a record is looked up again.
constexpr std::size_t kMaxMembers = 256;

}  // namespace

void LeaseMembers::on_renewed(MonotonicTime sent) {
  if (last_renewal_ && sent <= *last_renewal_) return;
  if (last_renewal_ && sent - *last_renewal_ <= kMaxRenewalAge) observed_ += sent - *last_renewal_;
  last_renewal_ = sent;
  for (auto& [name, member] : members_) {
    if (!member.changed) continue;
    member.changed = false;
    member.still_since = observed_;
  }
}

void LeaseMembers::on_beat(const std::string& name, BytesView value) {
  if (name == self_) return;
  if (value.empty()) return on_no_beat(name);
  Member& member = members_[name];
  const bool is_new = !member.heard || member.value != value;
  member.heard = true;
  if (is_new) {
    member.value = value;
    member.changed = true;
    member.dead = false;
  } else if (member.suspected) {
    member.dead = true;
  }
  member.suspected = false;
}

void LeaseMembers::on_no_beat(const std::string& name) {
  if (name == self_) return;
  Member& member = members_[name];
  member.heard = true;
  member.value.clear();
  member.dead = true;
  member.suspected = false;
}

void LeaseMembers::on_read_failed(const std::string& name) {
  const auto found = members_.find(name);
  if (found != members_.end()) found->second.suspected = false;
}

void LeaseMembers::on_named(const std::string& name) {
  if (name != self_ && !name.empty()) members_.try_emplace(name);
}

bool LeaseMembers::is_alive(const std::string& name) const {
  if (name == self_) return true;
  const auto found = members_.find(name);
  return found == members_.end() || !found->second.dead;
}

std::vector<std::string> LeaseMembers::living() const {
  std::vector<std::string> result = {self_};
  for (const auto& [name, member] : members_) {
    if (member.heard && !member.dead) result.push_back(name);
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::string> LeaseMembers::take_suspects() {
  if (members_.size() > kMaxMembers) {
    std::erase_if(members_, [](const auto& item) { return item.second.dead; });
  }
  std::vector<std::string> result;
  for (auto& [name, member] : members_) {
    if (member.dead || member.suspected || member.changed) continue;
    // One that was never heard is read at once, to have something to compare with.
    if (member.heard && observed_ - member.still_since < kHeartbeatDead) continue;
    member.suspected = true;
    result.push_back(name);
  }
  return result;
}

}  // namespace martlet::bus
