#include "auth/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace martlet::auth {
namespace {

tl::unexpected<Error> wrong(const std::string& what, const std::string& path,
                            const std::string& why) {
  return fail(ErrorCode::kBadContent, what + " '" + path + "': " + why);
}

}  // namespace

Result<std::string> read_small_file(const std::string& what, const std::string& path,
                                    std::size_t max_bytes) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return wrong(what, path, "is no file");
  std::ifstream file(path, std::ios::binary);
  std::string text(max_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return wrong(what, path, "can't be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > max_bytes) return wrong(what, path, "is too long");
  return text;
}

Result<void> write_small_file(const std::string& what, const std::string& path,
                              const std::string& text, mode_t mode) {
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return wrong(what, temporary, std::strerror(errno));
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  ::close(fd);
  if (!written || std::rename(temporary.c_str(), path.c_str()) != 0) {
    return wrong(what, path, std::strerror(errno));
  }
  return {};
}

std::string look_of_file(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return {};
  return std::to_string(file.st_ino) + ' ' + std::to_string(file.st_size) + ' ' +
         std::to_string(file.st_mtim.tv_sec) + '.' + std::to_string(file.st_mtim.tv_nsec);
}

}  // namespace martlet::auth
