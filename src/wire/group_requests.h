#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "model/group.h"
#include "model/ids.h"
#include "wire/commands.h"

// Bodies of clients' requests about groups, typing and devices; same rules as requests.h.
namespace martlet::wire {

// GroupCreate to GroupDisband: what somebody wants to do to a group. The dispatcher judges it and
// writes `change` into the group's log.
struct GroupChange {
  GroupId group;
  ClientMsgId client_msg_id;
  std::optional<Duration> age;  // since it was first sent; none: unknown
  MembersChange change;
};
// True for the commands that parse_group_change understands.
bool is_group_change(Command command);

struct GroupInfo {
  GroupId group;
  std::string_view after;  // a user's name; empty: from the first
  std::uint32_t limit = 0;
};

struct GroupList {
  std::string_view after;  // a group's id; empty: from the first
  std::uint32_t limit = 0;
};

// Exactly one of the two is set.
struct Typing {
  UserId to_user;
  GroupId to_group;
};

struct Devices {};

struct SignOut {
  DeviceId device;  // empty: all but the one that asks
};

// The body of the command that belongs to the change's action.
Bytes encode(const GroupChange& body);
Command command_of(MembersAction action);
Bytes encode(const GroupInfo& body);
Bytes encode(const GroupList& body);
Bytes encode(const Typing& body);
Bytes encode(const Devices& body);
Bytes encode(const SignOut& body);

// kBadId also for an id of a new group with capitals.
Result<GroupChange> parse_group_change(Command command, BytesView body);
Result<GroupInfo> parse_group_info(BytesView body);
Result<GroupList> parse_group_list(BytesView body);
Result<Typing> parse_typing(BytesView body);
Result<Devices> parse_devices(BytesView body);
Result<SignOut> parse_sign_out(BytesView body);

}  // namespace martlet::wire
