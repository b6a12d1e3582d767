#include "bench/config.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace martlet::bench {
namespace {

using nlohmann::json;

std::vector<UserId> read_users(const json& names) {
  std::vector<UserId> users;
  for (const json& name : names) users.push_back(UserId::parse(name.get<std::string>()).value());
  return users;
}

Duration read_seconds(const json& number) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(number.get<double>()));
}

Config read(const json& object) {
  Config config;
  for (const json& edge : object.at("edges")) {
    config.edges.push_back(net::parse_address(edge.get<std::string>()).value());
  }
  if (config.edges.empty()) throw std::invalid_argument("no edges");
  config.signing_key = object.at("signing_key").get<std::string>();
  config.tls_ca = object.value("tls_ca", "");
  config.people.users = read_users(object.at("users"));
  for (const auto& [id, members] : object.at("groups").items()) {
    config.people.groups.push_back({GroupId::parse(id).value(), read_users(members)});
  }
  config.idle = read_users(object.at("idle"));
  config.people.visitors = read_users(object.value("visitors", json::array()));
  config.password = object.value("password", "");
  config.workload = object.at("workload").get<std::string>();
  config.stored = object.at("stored").get<bool>();
  config.in_flight = object.at("in_flight").get<std::size_t>();
  config.rate = object.at("rate").get<double>();
  config.burst = object.at("burst").get<double>();
  config.warm_up = read_seconds(object.at("warm_up_s"));
  config.seconds = read_seconds(object.at("seconds"));
  config.messages = object.value("messages", std::size_t(0));
  config.drain = read_seconds(object.at("drain_s"));
  config.text_bytes = object.at("text_bytes").get<std::size_t>();
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

}  // namespace martlet::bench
