#include "tools/password.h"

#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "config/tool_variables.h"

namespace martlet::tools {
namespace {

Result<std::string> first_line(std::istream& input, const std::string& where) {
  std::string line;
  if (!std::getline(input, line)) return fail(ErrorCode::kBadPassword, "no password in " + where);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

Result<std::string> ask(const std::string& user) {
  termios before{};
  if (::tcgetattr(STDIN_FILENO, &before) != 0) {
    return fail(ErrorCode::kBadPassword,
                "no password: give --password-file or MARTLET_PASSWORD, or use a terminal");
  }
  std::cerr << "Password of " << user << ": " << std::flush;
  termios quiet = before;
  quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  Result<std::string> line = first_line(std::cin, "the terminal");
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  std::cerr << std::endl;
  return line;
}

}  // namespace

Result<std::string> read_password(const std::string& file, const std::string& user) {
  if (file == "-") return first_line(std::cin, "standard input");
  if (!file.empty()) {
    std::ifstream input(file);
    return first_line(input, file);
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
  const char* set = std::getenv(config::kToolPassword);
  if (set != nullptr && *set != '\0') return std::string(set);
  return ask(user);
}

}  // namespace martlet::tools
