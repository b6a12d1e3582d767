#include "service/findings.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace martlet::service {
namespace {

std::size_t count(const Findings& findings, Verdict verdict) {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [verdict](const Finding& one) { return one.verdict == verdict; }));
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "OK";
    case Verdict::kWarn:
      return "WARN";
    case Verdict::kFail:
      return "FAIL";
  }
  return "";
}

std::string findings_text(const Findings& findings) {
  std::string out;
  for (const Finding& one : findings) {
    out += fmt::format("{:<4} {}: {}\n", verdict_name(one.verdict), one.check, one.what);
    if (!one.cure.empty()) out += fmt::format("     -> {}\n", one.cure);
  }
  return out + fmt::format("{} checked, {} failed, {} to look at\n", findings.size(),
                           count(findings, Verdict::kFail), count(findings, Verdict::kWarn));
}

std::string findings_json(const Findings& findings) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const Finding& one : findings) {
    list.push_back({{"check", one.check},
                    {"verdict", verdict_name(one.verdict)},
                    {"what", one.what},
                    {"cure", one.cure}});
  }
  const Json page = {{"findings", std::move(list)},
                     {"failed", count(findings, Verdict::kFail)},
                     {"warned", count(findings, Verdict::kWarn)}};
  return page.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

int exit_code(const Findings& findings) {
  return count(findings, Verdict::kFail) > 0 ? 1 : 0;
}

}  // namespace martlet::service
