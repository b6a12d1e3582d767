#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "client/address_list.h"
#include "model/group.h"
#include "model/ids.h"

namespace martlet::swarm {

// One device.
struct MemberConfig {
  UserId user;
  DeviceId device;
  client::AddressList servers;
  std::string store;  // directory; empty: in memory
};

// A group that the swarm makes when all are online, if its owner is here, and that those of its
// members write to who are here.
struct GroupConfig {
  GroupId group;
  std::vector<UserId> members;  // the first is the owner
  JoinPolicy join = JoinPolicy::kInvited;
  EarlierHistory earlier_history = EarlierHistory::kHidden;
};

// The JSON file that the swarm is started with; only members is required:
//   {"journals": DIR, "password": P, "register": true, "seed": 1,
//    "members": [{"user", "device", "servers": "HOST:PORT,…", "store": DIR}],
//    "api": URL to ask for edges, before the servers of a member (left out: none),
//    "pairs": [["u1", "u2"], …],
//    "groups": [{"group", "members": ["u1", "u2", …], "open": false, "history": false}],
//    "make_groups": true (false: they are there),
//    "group_percent": of the messages are to groups (left out: each pair and group gets as many),
//    "rate": messages a second, "total": 0 (until stop),
//    "leaves_per_s": members who go offline for some seconds while the swarm sends,
//    "stored_percent": 0, "text_bytes": [20, 200]}
struct Config {
  std::string journals = ".";
  std::string password = "swarm-password";
  bool registers = true;
  std::string api;
  std::uint64_t seed = 1;
  std::vector<MemberConfig> members;
  std::vector<std::pair<UserId, UserId>> pairs;
  std::vector<GroupConfig> groups;
  bool makes_groups = true;
  std::optional<std::uint64_t> group_percent;
  double rate = 100;
  double leaves_per_s = 0;
  std::uint64_t total = 0;
  std::uint64_t stored_percent = 0;
  std::uint64_t min_text_bytes = 20;
  std::uint64_t max_text_bytes = 200;
};

Result<Config> read_config(const std::string& file);

}  // namespace martlet::swarm
