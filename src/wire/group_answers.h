#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "model/group.h"

// Bodies of answers to requests about groups, typing and devices; same rules as answers.h. Changes
// of a group are answered by an Ack.
namespace martlet::wire {

struct GroupMember {
  UserId user;
  GroupRole role = GroupRole::kNone;
  Seq since_seq;  // of the message that made them a member
};

struct GroupInfoPage {
  GroupId group;
  std::string title;
  JoinPolicy join = JoinPolicy::kInvited;
  EarlierHistory earlier_history = EarlierHistory::kHidden;
  std::uint32_t members_count = 0;
  Seq members_at;
  std::vector<GroupMember> members;  // in order of their names
  bool more = false;
};

struct GroupSummary {
  GroupId group;
  std::string title;
  GroupRole role = GroupRole::kNone;
  std::uint32_t members_count = 0;
};

struct GroupListPage {
  std::vector<GroupSummary> groups;  // in order of their ids
  bool more = false;
};

struct TypingOk {};

struct Device {
  DeviceId device;
  bool this_one = false;
  WallMs last_login_ms = 0;
};

struct DeviceList {
  std::vector<Device> devices;
};

struct SignedOut {
  std::uint32_t devices = 0;  // how many
};

Bytes encode(const GroupInfoPage& body);
Bytes encode(const GroupListPage& body);
Bytes encode(const TypingOk& body);
Bytes encode(const DeviceList& body);
Bytes encode(const SignedOut& body);

Result<GroupInfoPage> parse_group_info_page(BytesView body);
Result<GroupListPage> parse_group_list_page(BytesView body);
Result<TypingOk> parse_typing_ok(BytesView body);
Result<DeviceList> parse_device_list(BytesView body);
Result<SignedOut> parse_signed_out(BytesView body);

}  // namespace martlet::wire
