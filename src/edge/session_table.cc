#include "edge/session_table.h"

#include <algorithm>

#include "base/assert.h"

namespace martlet::edge {

void SessionTable::add(ClientLink& link) {
  const bool is_new = by_id_.try_emplace(link.session().id(), &link).second;
  MARTLET_ASSERT(is_new);
  by_user_[link.session().user()].push_back(&link);
}

void SessionTable::remove(ClientLink& link) {
  const std::size_t removed = by_id_.erase(link.session().id());
  MARTLET_ASSERT(removed == 1);
  take_out(by_user_, link);
}

void SessionTable::add_waiting(ClientLink& link) {
  waiting_[link.session().user()].push_back(&link);
}

void SessionTable::remove_waiting(ClientLink& link) {
  take_out(waiting_, link);
}

void SessionTable::take_out(ByUser& links, ClientLink& link) {
  const auto found = links.find(link.session().user());
  MARTLET_ASSERT(found != links.end());
  const std::size_t removed = std::erase(found->second, &link);
  MARTLET_ASSERT(removed == 1);
  if (found->second.empty()) links.erase(found);
}

ClientLink* SessionTable::find(const SessionId& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

std::span<ClientLink* const> SessionTable::links_of(const UserId& user) const {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return {};
  return found->second;
}

std::vector<ClientLink*> SessionTable::of_user(const UserId& user) const {
  const auto links = links_of(user);
  return {links.begin(), links.end()};
}

std::vector<ClientLink*> SessionTable::of_device(const UserId& user, const DeviceId& device) const {
  std::vector<ClientLink*> links = of_user(user);
  std::erase_if(links, [&](ClientLink* link) { return link->session().device() != device; });
  return links;
}

std::vector<ClientLink*> SessionTable::to_end(const UserId& user, const DeviceId& device) const {
  std::vector<ClientLink*> links = of_user(user);
  if (const auto waiting = waiting_.find(user); waiting != waiting_.end()) {
    links.insert(links.end(), waiting->second.begin(), waiting->second.end());
  }
  std::erase_if(links, [&](ClientLink* link) {
    return !device.empty() && link->session().device() != device;
  });
  return links;
}

std::vector<ClientLink*> SessionTable::all() const {
  std::vector<ClientLink*> links;
  links.reserve(by_id_.size());
  for (const auto& [id, link] : by_id_) links.push_back(link);
  return links;
}

}  // namespace martlet::edge
