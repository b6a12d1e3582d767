#pragma once

#include <string>
#include <string_view>

#include "base/finding.h"

// How findings are told to people and scripts.
namespace martlet::service {

std::string_view verdict_name(Verdict verdict);
// A line each, "OK   check: what", below it what to do; at the end how many.
std::string findings_text(const Findings& findings);
// {"findings": [{"check", "verdict", "what", "cure"}], "failed": n, "warned": n}
std::string findings_json(const Findings& findings);
// 0, or 1 if one failed.
int exit_code(const Findings& findings);

}  // namespace martlet::service
