#include "service/check.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "config/mask.h"

namespace martlet::service {
namespace {

bool has_secret(const config::Keys::Declared& declared) {
  if (declared.value.empty() || declared.from == "default") return false;
  switch (declared.key.show) {
    case config::Show::kHidden:
      return true;
    case config::Show::kMaskedUrl:
      return config::mask_url(declared.value) != declared.value;
    case config::Show::kPlain:
      return false;
  }
  return false;
}

// "config.toml:3" -> "config.toml"; empty: it came from a variable or a flag.
std::string file_of(const config::Keys::Declared& declared) {
  if (!declared.file.empty()) return declared.file;
  const std::size_t colon = declared.from.rfind(':');
  return colon == std::string::npos ? "" : declared.from.substr(0, colon);
}

}  // namespace

Finding check_secret_file(const std::string& check, const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the text of a known error is a constant
    return {check, Verdict::kFail, path + ": " + std::strerror(errno),
            "Give a file that is there."};
  }
  if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    return {check, Verdict::kFail, "everybody on this machine may read or write " + path,
            "chmod o= " + path + ", and give what it holds anew if somebody may have seen it."};
  }
  return {check, Verdict::kOk, "only its user and group may read " + path, ""};
}

Findings check_secret_files(const config::Keys& keys) {
  Findings findings;
  std::set<std::string> seen;
  for (const auto& declared : keys.declared()) {
    if (!has_secret(declared)) continue;
    const std::string file = file_of(declared);
    if (file.empty() || !seen.insert(file).second) continue;
    findings.push_back(check_secret_file("secrets." + declared.key.name, file));
  }
  return findings;
}

}  // namespace martlet::service
