#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace martlet::config {

// One value of a file, as text. Tables are flattened: [edge] listen = … is "edge.listen".
struct FileValue {
  std::string key;
  std::string value;
  std::string from;  // "config.toml:3"
};

// Reads a TOML file. Strings, integers, booleans and lists of them (joined by commas) are values;
// anything else is an error, as is a file that does not parse. Errors name file and line.
Result<std::vector<FileValue>> read_toml(const std::string& path);

}  // namespace martlet::config
