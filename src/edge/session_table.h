#pragma once

#include <cstddef>
#include <span>
#include <unordered_map>
#include <vector>

#include "edge/client_link.h"
#include "model/ids.h"

namespace martlet::edge {

// The authenticated links, and apart from them those whose AUTH is under way: whoever ends a user's
// sessions means these too. Loop thread; links are taken out before they go.
class SessionTable {
 public:
  void add(ClientLink& link);
  void remove(ClientLink& link);
  void add_waiting(ClientLink& link);
  void remove_waiting(ClientLink& link);

  ClientLink* find(const SessionId& id) const;
  // Valid until a session begins or ends.
  std::span<ClientLink* const> links_of(const UserId& user) const;
  // A copy: what is done to a session may end it.
  std::vector<ClientLink*> of_user(const UserId& user) const;
  std::vector<ClientLink*> of_device(const UserId& user, const DeviceId& device) const;
  // Waiting ones too; of all devices if none is named.
  std::vector<ClientLink*> to_end(const UserId& user, const DeviceId& device) const;
  std::vector<ClientLink*> all() const;
  std::size_t size() const { return by_id_.size(); }

 private:
  using ByUser = std::unordered_map<UserId, std::vector<ClientLink*>>;
  static void take_out(ByUser& links, ClientLink& link);

  std::unordered_map<SessionId, ClientLink*> by_id_;
  ByUser by_user_;
  ByUser waiting_;
};

}  // namespace martlet::edge
