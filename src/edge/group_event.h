#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "model/group.h"
#include "wire/envelopes.h"

namespace martlet::edge {

// An event of a group as the edge needs it. The body is that of the message: valid while its bytes
// are.
struct GroupEvent {
  struct Change {
    UserId actor;
    MembersChange change;
  };
  GroupId group;
  wire::Command command = wire::Command::None;
  Seq seq;  // 0: not ordered
  Seq members_at;
  SessionId origin;
  BytesView body;
  std::optional<Change> change;                 // the event changes the membership
  std::vector<std::uint64_t>* links = nullptr;  // see OutgoingEvent
};

// kBadBody, kBadId, kBadContent: not of a group, or not written by one of ours. The event's body
// was verified.
Result<GroupEvent> read_group_event(const wire::Event& event);

}  // namespace martlet::edge
