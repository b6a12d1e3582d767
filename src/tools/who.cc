#include "tools/who.h"

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "net/http_get.h"

namespace martlet::tools {
namespace {

std::string utc(std::uint64_t ms) {
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

void print_sessions(const nlohmann::json& page) {
  for (const auto& session : page.at("sessions")) {
    std::printf("%s/%s at %s edge=%s since=%s\n", page.value("user", "").c_str(),
                session.value("device", "").c_str(), session.value("address", "").c_str(),
                session.value("edge", "").c_str(),
                utc(session.value("since_ms", std::uint64_t{0})).c_str());
  }
  if (page.at("sessions").empty()) std::printf("%s is away\n", page.value("user", "").c_str());
}

}  // namespace

Exit who(const ToolOptions& options, const std::string& user) {
  const Result<UserId> name = parse_user(user);
  if (!name) return fail_with(name.error());
  if (options.api.empty()) {
    complain(Error{ErrorCode::kUnavailable, "which api? give --api http://HOST:PORT"});
    return Exit::kUsage;
  }
  const auto answer =
      net::http_get(options.api, "/v1/users/" + name->str() + "/sessions", timeout_of(options));
  if (!answer) return fail_with(answer.error());
  const auto page = nlohmann::json::parse(answer->body, nullptr, false);
  if (answer->status != 200 || !page.is_object() || !page.contains("sessions")) {
    return fail_with(Error{ErrorCode::kUnavailable,
                           "status " + std::to_string(answer->status) + ": " + answer->body});
  }
  if (options.json) {
    std::printf("%s\n", page.dump().c_str());
  } else {
    print_sessions(page);
  }
  return Exit::kOk;
}

}  // namespace martlet::tools
