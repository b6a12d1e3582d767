#include "support/swarm/config.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace martlet::swarm {
namespace {

using nlohmann::json;

MemberConfig read_member(const json& object) {
  MemberConfig member;
  member.user = UserId::parse(object.at("user").get<std::string>()).value();
  member.device = DeviceId::parse(object.value("device", "d1")).value();
  auto servers = client::AddressList::parse(object.at("servers").get<std::string>());
  if (!servers) throw std::invalid_argument(servers.error().detail);
  member.servers = std::move(*servers);
  member.store = object.value("store", "");
  return member;
}

GroupConfig read_group(const json& object) {
  GroupConfig group;
  group.group = GroupId::parse(object.at("group").get<std::string>()).value();
  for (const json& user : object.at("members")) {
    group.members.push_back(UserId::parse(user.get<std::string>()).value());
  }
  if (group.members.empty()) throw std::invalid_argument("a group without members");
  if (object.value("open", false)) group.join = JoinPolicy::kAnyone;
  if (object.value("history", false)) group.earlier_history = EarlierHistory::kShown;
  return group;
}

Config read(const json& object) {
  Config config;
  config.journals = object.value("journals", config.journals);
  config.password = object.value("password", config.password);
  config.api = object.value("api", config.api);
  config.registers = object.value("register", config.registers);
  config.seed = object.value("seed", config.seed);
  config.makes_groups = object.value("make_groups", config.makes_groups);
  if (object.contains("group_percent")) config.group_percent = object["group_percent"];
  config.rate = object.value("rate", config.rate);
  config.leaves_per_s = object.value("leaves_per_s", config.leaves_per_s);
  config.total = object.value("total", config.total);
  config.stored_percent = object.value("stored_percent", config.stored_percent);
  if (object.contains("text_bytes")) {
    config.min_text_bytes = object["text_bytes"].at(0).get<std::uint64_t>();
    config.max_text_bytes = object["text_bytes"].at(1).get<std::uint64_t>();
  }
  for (const json& member : object.at("members")) config.members.push_back(read_member(member));
  for (const json& pair : object.value("pairs", json::array())) {
    config.pairs.emplace_back(UserId::parse(pair.at(0).get<std::string>()).value(),
                              UserId::parse(pair.at(1).get<std::string>()).value());
  }
  for (const json& group : object.value("groups", json::array())) {
    config.groups.push_back(read_group(group));
  }
  return config;
}

}  // namespace

// Start-up: exceptions of the JSON library and of the optionals end here.
Result<Config> read_config(const std::string& file) {
  try {
    std::ifstream input(file);
    if (!input) return fail(ErrorCode::kBadBody, file + ": can't be read");
    return read(json::parse(input));
  } catch (const std::exception& error) {
    return fail(ErrorCode::kBadBody, file + ": " + error.what());
  }
}

}  // namespace martlet::swarm
