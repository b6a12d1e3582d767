#pragma once

#include <string>

#include "tools/tool.h"

namespace martlet::tools {

// A device of a user, and how it proves to be one: by password or by another service's token.
struct Account {
  std::string user;
  std::string device = "cli";
  std::string password;
  std::string token;
};

// Makes an account; the same password then logs the device in.
Exit register_user(const ToolOptions& options, const Account& account);
Exit log_in(const ToolOptions& options, const Account& account);

}  // namespace martlet::tools
