#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "base/result.h"

// Files with secrets; for the .cc files of auth/ only. Small ones: calls block.
namespace martlet::auth {

// what: of the file, for the errors ("key", "tokens").
Result<std::string> read_small_file(const std::string& what, const std::string& path,
                                    std::size_t max_bytes);

// All or nothing: a crash leaves no half of it.
Result<void> write_small_file(const std::string& what, const std::string& path,
                              const std::string& text, mode_t mode);

// Changes whenever the file does; empty: there is none.
std::string look_of_file(const std::string& path);

}  // namespace martlet::auth
