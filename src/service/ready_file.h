#pragma once

#include <string>

#include "base/result.h"

namespace martlet::service {

// What a starter needs to know about a service that serves.
struct Ready {
  std::string name;
  int pid = 0;
  std::string http;    // HOST:PORT
  std::string listen;  // HOST:PORT for clients; empty: none
};

// Writes {"name","pid","http","listen"} so that a reader sees all of it or nothing.
Result<void> write_ready_file(const std::string& path, const Ready& ready);
void remove_ready_file(const std::string& path);

}  // namespace martlet::service
