#include "tools/who.h"

#include <cstdio>

#include "tools/api.h"

namespace martlet::tools {
namespace {

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
  const auto page = ask_api(options, {"/v1/users/" + name->str() + "/sessions"});
  if (!page) return fail_asking(options, page.error());
  if (!page->contains("sessions")) {
    return fail_with(Error{ErrorCode::kUnavailable, "that is no api of ours"});
  }
  if (options.json) {
    std::printf("%s\n", page->dump().c_str());
  } else {
    print_sessions(*page);
  }
  return Exit::kOk;
}

}  // namespace martlet::tools
