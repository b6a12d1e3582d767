#pragma once

#include <string>

#include "base/finding.h"
#include "config/keys.h"

namespace martlet::service {

// The files that hold secrets: the configuration itself, if it has some in the clear, and those of
// <key>_file. Nobody but their user and group may read them.
Findings check_secret_files(const config::Keys& keys);
// One more of them; check: what the finding is called.
Finding check_secret_file(const std::string& check, const std::string& path);

}  // namespace martlet::service
