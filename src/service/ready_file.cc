#include "service/ready_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

namespace martlet::service {

Result<void> write_ready_file(const std::string& path, const Ready& ready) {
  const auto refused = [&] {
    return fail(ErrorCode::kUnavailable, "ready_file '" + path + "': " + std::strerror(errno));
  };
  const nlohmann::ordered_json json{
      {"name", ready.name}, {"pid", ready.pid}, {"http", ready.http}, {"listen", ready.listen}};
  const std::string temporary = path + ".new";
  std::ofstream file(temporary, std::ios::trunc);
  file << json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  file.close();
  if (!file) return refused();
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return refused();
  return {};
}

void remove_ready_file(const std::string& path) {
  ::unlink(path.c_str());
}

}  // namespace martlet::service
