#pragma once

#include <string>
#include <vector>

namespace martlet {

enum class Verdict { kOk, kWarn, kFail };

// What a check found: what is (wrong), in one line, and what to do about it; empty: nothing.
struct Finding {
  std::string check;  // words with dots between, for scripts
  Verdict verdict = Verdict::kOk;
  std::string what;
  std::string cure;
};
using Findings = std::vector<Finding>;

}  // namespace martlet
