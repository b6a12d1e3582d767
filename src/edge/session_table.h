#pragma once

#include <cstddef>
#include <span>
#include <unordered_map>
#include <vector>

#include "edge/client_link.h"
#include "model/ids.h"

namespace martlet::edge {

// The authenticated links. Loop thread; links are taken out before they go.
class SessionTable {
 public:
  void add(ClientLink& link);
  void remove(ClientLink& link);

  ClientLink* find(const SessionId& id) const;
  // Valid until a session begins or ends.
  std::span<ClientLink* const> links_of(const UserId& user) const;
  // A copy: what is done to a session may end it.
  std::vector<ClientLink*> of_user(const UserId& user) const;
  std::vector<ClientLink*> of_device(const UserId& user, const DeviceId& device) const;
  std::vector<ClientLink*> all() const;
  std::size_t size() const { return by_id_.size(); }

 private:
  std::unordered_map<SessionId, ClientLink*> by_id_;
  std::unordered_map<UserId, std::vector<ClientLink*>> by_user_;
};

}  // namespace martlet::edge
